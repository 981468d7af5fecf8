"""Keeping the middle of the perplexities (arXiv 2309.04564): the lowest are trivial, the highest are noise."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydantic import Field

from sluicegate.selection.base import Group, Pool, Rule


class Typical(Rule):
    """Keep the records around one quantile of a signal, its median unless told otherwise."""

    class Config(Rule.Config):
        centre: float = Field(0.5, ge=0, le=1)
        """The quantile to keep around: 0 is the lowest score, 1 the highest."""

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group, the nearest to the centre first."""
        quantile = np.empty(len(pool))  # (N,)
        quantile[np.argsort(pool.score, kind="stable")] = np.linspace(0, 1, len(pool))
        nearest_first = np.argsort(np.abs(quantile - self.config.centre), kind="stable")
        yield Group(nearest_first, f"the {{keep}} of {len(pool)} nearest to the middle by {pool.by}")
