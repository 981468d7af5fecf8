"""A random draw of the same size from every source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sluicegate.selection.base import Group, Pool
from sluicegate.selection.order import apart, kinds
from sluicegate.selection.random import Random, drawn
from sluicegate.selection.shares import even


class BalancedRandom(Random):
    """Keep equally many records of every source, drawn at random; small sources are taken whole."""

    def reads(self) -> tuple[str, ...]:
        """The source of each record."""
        return ("source",)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group per source, each in random order."""
        sources, member = kinds(pool.column("source"))
        for source, rows in zip(sources, apart(drawn(pool.ids, self.config.seed), member), strict=True):
            yield Group(rows, f"the {{keep}} drawn of {len(rows)} from {source}")

    def shares(self, groups: Sequence[Group], budget: int) -> np.ndarray:
        """Equal ones."""
        return even(np.array([g.size for g in groups]), budget)
