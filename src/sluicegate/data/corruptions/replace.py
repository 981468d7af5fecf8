"""A word from elsewhere."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sluicegate.data.corrupt import response, units
from sluicegate.schema import Record


def replace(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One unit, the last one four times in ten, gives way to a random unit of another row of the same language."""
    text = response(record)
    spans = units(text)
    donors = [o for o in others if o["id"] != record["id"] and o["lang"] == record["lang"]]
    if not donors or not spans:
        return None
    donor = response(rng.choice(donors))
    start, end = spans[-1] if rng.random() < 0.4 else rng.choice(spans)
    a, b = rng.choice(units(donor) or [(0, len(donor))])
    return text[:start] + donor[a:b] + text[end:]
