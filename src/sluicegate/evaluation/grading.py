"""The final answer of a reply against the gold one: which rule read it, and what went wrong where they differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sluicegate.data.shapes import last_boxed
from sluicegate.data.world.answers import answer_of

Error = Literal["", "cut", "no answer", "wrong answer"]
"""Empty for a correct reply. A wrong reply that reached the length limit is `cut`, whatever was read from it."""

_FULL_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)} | {ord("\u3000"): " ", ord("￡"): "£", ord("￥"): "¥"}
_NUMBER = re.compile(r"(?:(?<![\w)])[+-])?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?")
_HASHES = re.compile(r"####[ \t]*(\S.*)")
_CURRENCY = re.compile(r"\\?[$€£¥]")
_WRAPPING = " *_`\"'“”"
_ENDING = ".,;:!?。、…"


@dataclass(frozen=True)
class Grade:
    """How one reply was graded."""

    extracted: str | None
    """The answer as the reply states it; None if no rule found one."""
    rule: str
    """The name of the rule that found it, empty if none did."""
    error: Error

    @property
    def is_correct(self) -> bool:
        """Whether the answer is the gold one."""
        return not self.error


def grade(reply: str, gold: str, is_cut: bool = False) -> Grade:
    """Compare what a reply states with `gold`; a reply that is the gold answer and nothing else is correct too.

    Args:
        reply: the generated text.
        gold: the final answer.
        is_cut: whether the reply ended because it reached the length limit.
    """
    rule, extracted = ("whole reply", reply.strip()) if is_same(reply, gold) else extract(reply)
    if extracted is not None and is_same(extracted, gold):
        return Grade(extracted, rule, "")
    if is_cut:
        return Grade(extracted, rule, "cut")
    return Grade(extracted, rule, "no answer" if extracted is None else "wrong answer")


def is_same(answer: str, gold: str) -> bool:
    """Whether two answers are the same once normalised; nothing is the same as an empty one."""
    return normalize_answer(answer) == normalize_answer(gold) != ""


# Reading ------------------------------------------------------------------------------------------------------------


def extract(reply: str) -> tuple[str, str | None]:
    """The name of the first rule that finds an answer, and the answer; an empty name and None if none does."""
    found = ((name, rule(reply)) for name, rule in RULES.items())
    return next(((name, answer) for name, answer in found if answer), ("", None))


def boxed(reply: str) -> str | None:
    r"""MATH's way: the last `\boxed{}`."""
    return last_boxed(reply)


def hashes(reply: str) -> str | None:
    """GSM8K's way: the line behind the last `####`."""
    lines = _HASHES.findall(reply)
    return lines[-1].strip() if lines else None


def sentence(reply: str) -> str | None:
    """The built-in world's way: `The answer is X.` or `答案是X。`, the last of them."""
    return answer_of(reply)


def last_number(reply: str) -> str | None:
    """Where nothing is marked as the answer."""
    numbers = _NUMBER.findall(reply.translate(_FULL_WIDTH))
    return numbers[-1] if numbers else None


RULES: dict[str, Callable[[str], str | None]] = {
    # Explicit marks first: a sentence often holds a box, never the other way round.
    "boxed": boxed,
    "hashes": hashes,
    "sentence": sentence,
    "last number": last_number,
}


# Comparing ----------------------------------------------------------------------------------------------------------


def normalize_answer(answer: str) -> str:
    """One spelling per answer: width, case, spaces, currency signs, what wraps and ends it, and its numbers."""
    text = _CURRENCY.sub("", answer.translate(_FULL_WIDTH)).casefold()
    text = " ".join(text.split())
    bare = text.lstrip(_WRAPPING).rstrip(_WRAPPING + _ENDING)
    return _NUMBER.sub(_plain_number, bare or text)


def _plain_number(found: re.Match[str]) -> str:
    """Without thousands marks, a plus sign, and zeros that say nothing: `+1,200.50` is `1200.5`."""
    digits = found[0].replace(",", "").lstrip("+-")
    whole, _, part = digits.partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    plain = f"{whole}.{part}" if part else whole
    return f"-{plain}" if found[0].startswith("-") and plain != "0" else plain
