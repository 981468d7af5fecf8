"""A share of the budget for every source, language or length: the best of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from sluicegate.selection.base import TOKENS, Group, Pool, Rule
from sluicegate.selection.order import apart, best_first, kinds
from sluicegate.selection.shares import weighted

COLUMNS = {"source": "source", "lang": "lang", "length": TOKENS}


class Quota(Rule):
    """Keep the best of every source, language or length bucket, in the shares asked for."""

    class Config(Rule.Config):
        per: Literal["source", "lang", "length"] = "source"
        """What records are divided by."""
        shares: dict[str, Annotated[float, Field(gt=0)]] = {}
        """Name to its weight, `{zh: 7, en: 3}`; a name that is not there gets none. Empty: equal weights. What a group
        is too small to fill goes to the others."""
        edges: list[Annotated[int, Field(gt=0)]] = Field([256, 1024, 2048], min_length=1)
        """Label tokens up to which each length bucket reaches; a last one holds what is longer. Its name is `0-256`."""

        @field_validator("edges")
        @classmethod
        def _rise(cls, edges: list[int]) -> list[int]:
            if edges != sorted(set(edges)):
                raise ValueError("edges rise from one to the next")
            return edges

    def reads(self) -> tuple[str, ...]:
        """The column records are divided by."""
        return (COLUMNS[self.config.per],)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group per name, ranked by score."""
        names, member = kinds(self._names(pool))
        for name, rows in zip(names, apart(best_first(pool.score), member), strict=True):
            why = f"the best {{keep}} of {len(rows)} in {self.config.per} {name} by {pool.by}"
            weight = self.config.shares.get(name, 0.0) if self.config.shares else 1.0
            yield Group(rows, why, most=None if weight else 0, weight=weight)

    def shares(self, groups: Sequence[Group], budget: int) -> np.ndarray:
        """By weight."""
        weights = np.array([g.weight for g in groups])
        return weighted(np.array([g.size for g in groups]), weights, budget)

    def _names(self, pool: Pool) -> np.ndarray:
        column = pool.column(COLUMNS[self.config.per])
        if self.config.per != "length":
            return column
        edges = [0, *self.config.edges]
        names = [f"{low}-{high}" for low, high in pairwise(edges)] + [f"over {edges[-1]}"]
        return np.array(names, dtype=object)[np.searchsorted(self.config.edges, column)]
