"""What is a word, and what is mathematics' own: `sin` and `xy` are no words, `odd` and 小鸟 are."""

from __future__ import annotations

import re

FUNCTIONS = (
    "sqrt|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp"
    "|mod|lim|max|min|gcd|lcm|det|deg|inf|infty"
)
"""As a pattern: what is a word of mathematics without a backslash too."""
_SHORT = "am|an|as|at|be|by|do|go|he|if|in|is|it|me|my|no|of|oh|on|so|to|up|us|we"
_LISTING = "and|or"
_WORD = re.compile(
    rf"(?<![A-Za-z\\])(?!(?:{FUNCTIONS}|{_LISTING})(?![A-Za-z]))(?:[A-Za-z]{{3,}}|(?:{_SHORT})(?![A-Za-z]))|[\u4e00-\u9fff]",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[A-Za-z]+\*?\}(?:\{[clr|]*\})?")


def has_words(text: str) -> bool:
    """Whether there is a word in it, in English or Chinese, that no LaTeX command and no function's name is."""
    return bool(_WORD.search(_ENVIRONMENT.sub("", text)))
