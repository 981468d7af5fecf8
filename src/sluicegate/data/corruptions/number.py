"""A wrong number, in digits."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record

# Bounded, because int() refuses 4,301 digits.
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]{1,18}|[０-９]{1,18}")
_FRACTION = re.compile(r"(?<=[0-9０-９][.．])[0-9０-９]+")
_FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}
_STEPS = (-10, -5, -3, -2, -1, 1, 2, 3, 5, 10)


def number(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One number a little off: the last one, where an answer stands, four times in ten. Fractions keep their digits."""
    text = response(record)
    fractions = {m.start() for m in _FRACTION.finditer(text)}
    wholes = [m for m in _NUMBER.finditer(text) if m.start() not in fractions]
    if not wholes:
        return None
    chosen = wholes[-1] if rng.random() < 0.4 else rng.choice(wholes)
    return text[: chosen.start()] + _shifted(chosen.group(), rng.choice(_STEPS)) + text[chosen.end() :]


def _shifted(digits: str, step: int) -> str:
    """The number moved by `step` and never below 0, in the digits and the grouping it was written in."""
    value = max(0, int(digits.replace(",", "")) + step)
    text = f"{value:,}" if "," in digits else str(value)
    return text if digits.isascii() else text.translate(_FULL_WIDTH)
