"""An answer to another question."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record


def mismatch(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """Another row's response; half of the time one of the same source, which is harder to tell."""
    same_source = rng.random() < 0.5
    donors = [o for o in others if o["id"] != record["id"] and (not same_source or o["source"] == record["source"])]
    return response(rng.choice(donors)) if donors else None
