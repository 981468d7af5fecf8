r"""LaTeX as MATH writes it: the answer in its last box, and the same words without commands."""

from __future__ import annotations

import re


def last_boxed(solution: str) -> str | None:
    r"""What stands in the last `\boxed{}` or `\fbox{}`, braces inside it balanced; None where it is never closed."""
    start = max(solution.rfind(r"\boxed"), solution.rfind(r"\fbox"))
    found = re.match(r"\\(?:boxed|fbox)\s*(\{|[^\s{$])", solution[start:]) if start >= 0 else None
    if found is None or found[1] != "{":
        return found[1] if found else None
    depth, first = 1, start + found.end()
    for at in range(first, len(solution)):
        depth += {"{": 1, "}": -1}.get(solution[at], 0) if solution[at - 1] != "\\" else 0
        if depth == 0:
            return solution[first:at].strip() or None
    return None


# fmt: off
_SIGNS = {
    "cdot": "·", "times": "×", "div": "÷", "pm": "±", "mp": "∓", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
    "ne": "≠", "neq": "≠", "approx": "≈", "equiv": "≡", "infty": "∞", "circ": "°", "pi": "π", "theta": "θ",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "omega": "ω", "sum": "∑", "prod": "∏", "angle": "∠",
    "triangle": "△", "cup": "∪", "cap": "∩", "in": "∈", "to": "→", "rightarrow": "→", "Rightarrow": "⇒",
    "implies": "⇒", "ldots": "…", "dots": "…", "cdots": "…",
}
# fmt: on
_DRAWING = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}(?:\{[clr|]+\})?")
_FRACTION = re.compile(r"\\[dt]?frac\s*(?:\{([^{}]*)\}|(\w))\s*(?:\{([^{}]*)\}|(\w))")
_ROOT = re.compile(r"\\sqrt\s*(?:\[([^\]]*)\])?\s*(?:\{([^{}]*)\}|(\w))")
_WORDS = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathbb|mbox|boxed|fbox|operatorname)\s*\{([^{}]*)\}")
_SCRIPT = re.compile(r"([_^])\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
_SPACE = re.compile(r"\\[,;:!\[\]() ]|\\\\|(?<!\\)&")
_SYNTAX = re.compile(r"(?<!\\)[${}]|\\(?=[^A-Za-z\s])")


def plain(latex: str) -> str:
    r"""The text without LaTeX: `\frac{1}{2}` as `(1)/(2)`, `\le` as `≤`; drawings and unknown commands are left out."""
    text, before = _ENVIRONMENT.sub(" ", _DRAWING.sub("", latex)), ""
    while text != before:  # from the inside out, for they are nested
        before = text
        text = _FRACTION.sub(lambda m: f"({m[1] or m[2]})/({m[3] or m[4]})", text)
        text = _ROOT.sub(lambda m: f"{m[1] or ''}√({m[2] or m[3]})", text)
        text = _WORDS.sub(r"\1", text)
        text = _SCRIPT.sub(lambda m: m[1] + (m[2] if len(m[2]) < 2 else f"({m[2]})"), text)
    text = _COMMAND.sub(lambda m: _SIGNS.get(m[1], " "), text)
    return " ".join(_SYNTAX.sub("", _SPACE.sub(" ", text)).split())
