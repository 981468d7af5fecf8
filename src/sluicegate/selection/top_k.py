"""The highest scores."""

from __future__ import annotations

from collections.abc import Iterable

from sluicegate.selection.base import Group, Pool, Rule
from sluicegate.selection.order import best_first


class TopK(Rule):
    """Keep the highest scores of the whole pool."""

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group, ranked by score."""
        yield Group(best_first(pool.score), f"the best {{keep}} of {len(pool)} by {pool.by}")
