"""A random draw of the same size from every source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sluicegate.selection.base import Group, Pool
from sluicegate.selection.random import Random, drawn
from sluicegate.selection.shares import even


class BalancedRandom(Random):
    """Keep equally many records of every source, drawn at random; small sources are taken whole."""

    def reads(self) -> tuple[str, ...]:
        """The source of each record."""
        return ("source",)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group per source, each in random order."""
        sources, member = np.unique(pool.column("source").astype(str), return_inverse=True)
        sizes = np.bincount(member)
        order = drawn(pool.ids, self.config.seed)
        for number, source in enumerate(sources):
            yield Group(order[member[order] == number], f"the {{keep}} drawn of {sizes[number]} from {source}")

    def shares(self, groups: Sequence[Group], budget: int) -> np.ndarray:
        """Equal ones."""
        return even(np.array([g.size for g in groups]), budget)
