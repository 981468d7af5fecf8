"""The sentence every response ends in, and how to read it back."""

from __future__ import annotations

import re

SENTENCES = {"en": "The answer is {answer}.", "zh": "答案是{answer}。"}

_ANSWER = re.compile(r"The answer is (.+?)\.(?=\s|$)|答案是(.+?)。")


def answer_of(text: str) -> str | None:
    """The final answer a response states, the last one if there are several; None if it states none."""
    stated = _ANSWER.findall(text)
    return "".join(stated[-1]).strip() if stated else None
