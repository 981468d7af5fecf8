"""Words out of order."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sluicegate.data.corrupt import response, units
from sluicegate.schema import Record


def swap(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """Two units in each other's place."""
    text = response(record)
    spans = units(text)
    if len(spans) < 2:
        return None
    (a, b), (c, d) = sorted(rng.sample(spans, 2))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]
