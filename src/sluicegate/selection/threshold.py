"""Every score that is high enough, however many those are."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import model_validator

from sluicegate.selection.base import BUDGETS, Group, Pool, Rule
from sluicegate.selection.order import best_first


class Threshold(Rule):
    """Keep the records that score at least so much; a budget, where one is given, keeps the best of them."""

    class Config(Rule.Config):
        at_least: float = 0.0
        """The lowest score that is kept. A gate's `gate.json` has some, calibrated on held-out trusted rows."""

        @model_validator(mode="after")
        def _one_budget(self) -> Threshold.Config:
            if len(self._budgets()) > 1:
                raise ValueError(f"give at most one budget, {BUDGETS}")
            return self

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group, ranked by score, of which only the high enough may be kept."""
        enough = int((pool.score >= self.config.at_least).sum())
        why = f"the {{keep}} best of {enough} with {pool.by} >= {self.config.at_least:g}"
        yield Group(best_first(pool.score), why, most=enough)
