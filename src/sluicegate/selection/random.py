"""A random draw: the arm every other rule must beat."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from sluicegate.selection.base import Group, Pool, Rule


class Random(Rule):
    """Keep records drawn at random, each with the same chance.

    Where `by` names a signal, only records that have its score are drawn: so the draw chooses among the same
    records as the rule it is compared with.
    """

    needs_score = False

    class Config(Rule.Config):
        seed: int = 0
        """Another seed is another draw."""

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group, in random order."""
        yield Group(drawn(pool.ids, self.config.seed), f"the {{keep}} drawn of {len(pool)}")


def drawn(ids: np.ndarray, seed: int) -> np.ndarray:
    """Positions in random order, (N,).

    Each id's lot hangs on the seed and itself alone, so rows that join a pool do not reshuffle the others.
    """
    key = str(seed).encode()
    lots = [hashlib.blake2b(one.encode(), digest_size=8, key=key).digest() for one in ids.tolist()]
    return np.argsort(np.frombuffer(b"".join(lots), dtype=">u8"), kind="stable")
