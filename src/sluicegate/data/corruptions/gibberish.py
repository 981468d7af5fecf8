"""Words that are none."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence

from sluicegate.data.corrupt import response, units
from sluicegate.schema import Record


def gibberish(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """Every unit gives way to random letters, or to a random common character where it is a Chinese one."""
    text = response(record)
    spans = units(text)
    if not spans:
        return None
    ends = [0, *(end for _, end in spans)]
    gaps = [text[end:start] for end, (start, _) in zip(ends, spans, strict=False)]
    words = (_character(rng) if _is_cjk(text[a:b]) else _word(rng) for a, b in spans)
    return "".join(gap + word for gap, word in zip(gaps, words, strict=True))


def _is_cjk(unit: str) -> bool:
    return len(unit) == 1 and ord(unit) >= 0x3000


def _character(rng: random.Random) -> str:
    """One of the 3,666 commonest characters, which GB 2312 keeps together."""
    return bytes([rng.randrange(0xB0, 0xD7), rng.randrange(0xA1, 0xFF)]).decode("gb2312")


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 8)))
