"""A wrong number, in words: 三 for 五, thirty for twenty."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record

_DIGITS = "一二三四五六七八九"
# Most often no numbers: 万一, 千万 and 十分 as adverbs; 一 by itself, and `one`.
_CHINESE = re.compile(r"万一|千万|十分|([零一二两三四五六七八九十百千万亿]+)")
_ENGLISH = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen",
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "hundred thousand million billion",
)
"""A row for each size."""
_WORD = re.compile(rf"\b(?:{'|'.join(' '.join(_ENGLISH).split())})\b", re.IGNORECASE)


def numeral(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One written-out number becomes another of its size: a digit of a Chinese one, a word of an English one."""
    text = response(record)
    chinese = [m for m in _CHINESE.finditer(text) if m[1] and m[1] != "一"]
    found = [*chinese, *_WORD.finditer(text)]
    if not found:
        return None
    chosen = rng.choice(found)
    change = _other_word if chosen.group().isascii() else _other_digit
    return text[: chosen.start()] + change(rng, chosen.group()) + text[chosen.end() :]


def _other_digit(rng: random.Random, run: str) -> str:
    """A run of Chinese numerals with one digit changed; one without digits (十, 百万) gets one in front."""
    places = [i for i, c in enumerate(run) if c in _DIGITS or c == "两"]
    if not places:
        return rng.choice(_DIGITS[1:]) + run
    i = rng.choice(places)
    # 两 is 二 before a measure word, and 一 would often make an article of it.
    others = [c for c in _DIGITS[2:] if c != run[i]]
    return run[:i] + rng.choice(others) + run[i + 1 :]


def _other_word(rng: random.Random, word: str) -> str:
    size = next(row.split() for row in _ENGLISH if word.lower() in row.split())
    other = rng.choice([o for o in size if o != word.lower()])
    return other.capitalize() if word[0].isupper() else other
