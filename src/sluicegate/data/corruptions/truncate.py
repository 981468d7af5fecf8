"""A response that breaks off."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sluicegate.data.corrupt import response, units
from sluicegate.schema import Record


def truncate(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """The first 10 to 85 % of the units."""
    text = response(record)
    spans = units(text)
    kept = max(1, int(len(spans) * rng.uniform(0.1, 0.85)))
    return text[: spans[kept - 1][1]] if len(spans) > 1 else None
