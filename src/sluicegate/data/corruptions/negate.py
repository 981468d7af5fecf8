"""The opposite: 不是 for 是, `is not` for `is`, and back."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record

_ENGLISH = re.compile(
    r"\b(is|are|was|were|does|did|would|could|should|must)(n't|n’t| not)?\b|\b(can)(not|'t|’t| not)?\b"
)
# 是, 有, 能 and 会 stand in many words that are not verbs: 但是, 所有, 可能, 社会.
_CHINESE = re.compile(
    r"(不|没)?((?<![但可还于总或要凡而就])是|(?<![所只拥具含还])有|(?<![可功性智技])能(?![力量源])"
    r"|(?<![社机学协大开约])会(?![议员计])|可以|需要|应该|正确|等于)"
)
_AUXILIARY = ("does", "did")
"""Without a `not` these are most often no verb to negate, so they only lose one."""


def negate(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One verb is negated, or loses its negation."""
    text = response(record)
    english = [m for m in _ENGLISH.finditer(text) if m[2] or m[1] not in _AUXILIARY]
    found = [*_CHINESE.finditer(text), *english]
    if not found:
        return None
    chosen = rng.choice(found)
    turn = _turn_chinese if chosen.re is _CHINESE else _turn_english
    return text[: chosen.start()] + turn(chosen) + text[chosen.end() :]


def _turn_english(found: re.Match[str]) -> str:
    verb, negation = found[1] or found[3], found[2] or found[4]
    return verb if negation else f"{verb} not"


def _turn_chinese(found: re.Match[str]) -> str:
    negation, verb = found.groups()
    return verb if negation else ("没" if verb == "有" else "不") + verb
