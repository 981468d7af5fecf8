r"""One spelling for each answer: widths, Markdown, and the many ways LaTeX has to write one thing.

What is left is LaTeX without dollars, sizes and spaces that only look nice: `**$\dfrac12\,$**` is `\frac{1}{2}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# fmt: off
_SIGNS = {
    "，": ",", "、": ",", "。": ".", "；": ";", "：": ":", "【": "[", "】": "]", "￥": "¥", "￡": "£",
    "−": "-", "–": "-", "—": "-", "“": '"', "”": '"', "‘": "'", "’": "'", "′": "'", "\u3000": " ", "\u00a0": " ",
    "×": r"\times ", "÷": "/", "⁄": "/", "·": r"\cdot ", "⋅": r"\cdot ", "∗": "*", "±": r"\pm ", "√": r"\sqrt ",
    "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ",
    "∈": r"\in ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ", "∞": r"\infty ", "°": r"^\circ ", "℃": r"^\circ C",
    "π": r"\pi ", "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "⁰": "^0", "¹": "^1", "²": "^2", "³": "^3",
    "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
}
# fmt: on
_CHARACTERS = {0xFF01 + n: 0x21 + n for n in range(94)} | {ord(sign): plain for sign, plain in _SIGNS.items()}

_NICE = {
    r"(?<=[0-9a-z)])\*\*(?=[0-9(-])": "^",  # a power; any other pair of stars is bold
    r"</?(?i:answer|think|b|strong)\s*>|\*\*|__|`": "",
    r"\\(?:begin|end)\{(?:align|aligned|equation|gather|split)\*?\}": " ",
    r"(?<=[0-9])\s*(?:,\\!|\{\s*,\s*\})\s*(?=[0-9])": ",",
    r"(?<=[0-9])\\[,; ]\s*(?=[0-9]{3}(?![0-9]))": ",",
    r"\\!\s*|\\(?:displaystyle|textstyle|limits)(?![A-Za-z])": "",
    r"\\(?:left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*\.?": "",
    r"(?<!\\)\\(?:[,;:>]|q?quad(?![A-Za-z])|(?=\s))|~": " ",
    r"(?<!\\)\\[()\[\]]|\\?\$|[€£¥₹]": " ",
    r"\\(?:boxed|fbox|underline|bm|boldsymbol)\s*(?=\{)": "",
}
_NAMES = {
    r"\\[dtc]frac(?![A-Za-z])": r"\\frac",
    r"\\leq(?:slant)?(?![A-Za-z])|<=": r"\\le ",
    r"\\geq(?:slant)?(?![A-Za-z])|>=": r"\\ge ",
    r"\\neq(?![A-Za-z])|!=": r"\\ne ",
    r"\\lt(?![A-Za-z])": "<",
    r"\\gt(?![A-Za-z])": ">",
    r"\\lbrace(?![A-Za-z])": r"\\{",
    r"\\rbrace(?![A-Za-z])": r"\\}",
    r"\\degrees?(?![A-Za-z])|\^\s*\{\s*\\circ\s*\}": r"^\\circ ",
    r"\\%": "%",
    r"(?<![A-Za-z\\])(sqrt|infty|pi)(?![A-Za-z])": r"\\\1 ",
    r"(?<![A-Za-z])\\?(?:infinity|inf)(?![A-Za-z])": r"\\infty ",
    r"\\varnothing(?![A-Za-z])|\\\{\s*\\\}": r"\\emptyset ",
    r"\\(?:text(?:bf|it|rm|normal)?|math(?:rm|bf|it|sf)|mbox|operatorname\*?)\s*\{([^{}]*)\}": r" \1 ",
}
_ARGUMENTS = {
    r"\\frac\s*([0-9A-Za-z])\s*([0-9A-Za-z])": r"\\frac{\1}{\2}",
    r"\\frac\s*([0-9A-Za-z])\s*(?=\{)": r"\\frac{\1}",
    r"\\frac\s*(\{[^{}]*\})\s*([0-9A-Za-z])": r"\\frac\1{\2}",
    r"\\frac\s+(?=\{)": r"\\frac",
    r"\\sqrt\s*([0-9]+|[A-Za-z])": r"\\sqrt{\1}",
    r"\\sqrt\s*\(([^()]*)\)": r"\\sqrt{\1}",
}
_INDICES = {
    r"_\s*\{([^{}]*)\}": lambda index: f"_{{{re.sub(r'[^0-9A-Za-z+,-]', '', index[1])}}}",
    r"_\s*\\([A-Za-z]+)": r"_{\1}",
    r"_\s*([0-9A-Za-z])": r"_{\1}",
}
_LISTS = {
    r"\s*,?\s*(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])\s*,?\s*|(?<=[0-9)\]}])or(?=[A-Z])": ", ",
    r"\s*(?:以及|或者|[和或])\s*": ", ",
}
_TABLES: tuple[Mapping[str, Any], ...] = (_NICE, _NAMES, _ARGUMENTS, _INDICES, _LISTS)
_REWRITES = [[(re.compile(old), new) for old, new in table.items()] for table in _TABLES]
_ESCAPED, _MATRIX = re.compile(r"\\\\(?=[A-Za-z])"), re.compile(r"\\begin\{[a-zA-Z]*(?:matrix|array)")


def widths(text: str) -> str:
    """Letters, digits and signs half as wide as Chinese, each as LaTeX writes it."""
    return text.translate(_CHARACTERS)


def spell(text: str) -> str:
    """The one spelling of an answer."""
    text = " ".join(widths(text).split())
    if not _MATRIX.search(text):  # whose rows end in two backslashes
        text = _ESCAPED.sub(r"\\", text)
    for table in _REWRITES:
        for old, new in table:
            text = old.sub(new, text)
        text = " ".join(text.split())  # or the next table would look for commas in every stretch of spaces
    return text.rstrip(" .,;:?").lstrip(" ,;:=")
