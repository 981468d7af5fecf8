"""A number in [0, 1) drawn from the seed and the record's id alone: no order, no content, the same on every machine.

random(x) = the first 48 bits of SHA-256("seed id") / 2⁴⁸
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sluicegate.scoring.base import Shard, Signal


class Random(Signal):
    """The control without which no gain means anything."""

    name = "random"

    class Config(Signal.Config):
        """Which draw."""

        seed: int = 0
        """Another seed, another order."""

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [_draw(config.seed, r["id"]) for r in shard.records]


def _draw(seed: int, record_id: str) -> float:
    digest = hashlib.sha256(f"{seed} {record_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
