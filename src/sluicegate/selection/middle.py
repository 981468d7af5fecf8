"""The scores around a quantile: what is neither trivial nor noise, as perplexity's middle is read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydantic import Field

from sluicegate.selection.base import Group, Pool, Rule
from sluicegate.selection.order import best_first


class Middle(Rule):
    """Keep the records whose place among all scores is nearest to a quantile."""

    class Config(Rule.Config):
        center: float = Field(0.5, ge=0, le=1)
        """The quantile, counted from the lowest score; 0.5 is the median."""

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group, ranked by distance in places; of two equally far the higher score comes first."""
        best = best_first(pool.score)  # (N,)
        place = 1 - (np.arange(len(best)) + 0.5) / len(best)  # (N,) from 1 at the best to 0
        nearest = np.argsort(np.abs(place - self.config.center), kind="stable")
        why = f"the {{keep}} of {len(pool)} nearest to quantile {self.config.center:g} by {pool.by}"
        yield Group(best[nearest], why)
