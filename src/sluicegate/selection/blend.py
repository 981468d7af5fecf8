"""Several signals at once: the weighted mean of a record's places under each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
from pydantic import Field

from sluicegate.selection.base import Group, Pool, Rule
from sluicegate.selection.order import best_first


class Blend(Rule):
    """Keep the records that stand highest on average; places can be compared where scores cannot.

    A record that a signal gave no score stands in that signal's middle: of a response without equations the equation
    checker knows nothing, good or bad.
    """

    needs_score = False

    class Config(Rule.Config):
        signals: dict[str, Annotated[float, Field(gt=0)]] = Field({"gate": 1.0, "reference": 1.0}, min_length=1)
        """Signal to its weight."""

    def reads(self) -> tuple[str, ...]:
        """The columns of the signals."""
        return tuple(self.config.signals)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group, ranked by the mean place."""
        weights = np.array(list(self.config.signals.values()))  # (S,)
        places = np.stack([_place(pool.column(name)) for name in self.config.signals])  # (S, N)
        mean = weights @ places / weights.sum()  # (N,)
        names = " and ".join(self.config.signals)
        yield Group(best_first(mean), f"the best {{keep}} of {len(pool)} by the mean place under {names}")


def _place(score: np.ndarray) -> np.ndarray:
    """The share of scored records below each, ties in their middle: (N,), 0 to 1; 0.5 where there is no score."""
    place = np.full(len(score), 0.5)
    scored = ~np.isnan(score)
    _, inverse, count = np.unique(score[scored], return_inverse=True, return_counts=True)
    if scored.any():
        place[scored] = ((np.cumsum(count) - count / 2) / scored.sum())[inverse]
    return place
