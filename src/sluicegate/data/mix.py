"""How many rows of each source, language or level: by weights (a mix), or as they come or alike (a sample)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from sluicegate import config
from sluicegate.data.ngrams import mixed
from sluicegate.errors import DataError
from sluicegate.registry import did_you_mean
from sluicegate.schema import Pair, Record, content_id

Weight = Annotated[float, Field(ge=0, le=1e9)]
NO_GROUP = "-"
"""The group of a row that has no such column."""


class Mix(config.Config):
    """Rows of each group in proportion to its weight. Of a group too small all rows are taken, and it is told."""

    weights: dict[str, Weight] = Field(min_length=1)
    """Group to weight, in any unit; groups that are not named get none."""
    by: str = "source"
    """What makes the groups: `source`, `lang`, or a key of the rows' `meta`, as `level`."""
    rows: int | None = Field(None, gt=0)
    """How many rows in all; as many as the weights allow without a shortfall if not said."""
    seed: int = 0
    """Another seed, other rows."""

    @field_validator("weights")
    @classmethod
    def _some_weight(cls, weights: dict[str, float]) -> dict[str, float]:
        if not any(weights.values()):
            raise ValueError("are all 0: no group gets a row")
        return weights

    def quotas(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Rows asked for of each group, given how many it has; those asked for may be more.

        Raises:
            DataError: a group without any row, where the weights alone say how many there are of the others.
        """
        total = sum(self.weights.values())
        shares = {group: weight / total for group, weight in self.weights.items() if weight}
        gone = next((group for group in shares if not counts.get(group)), None)
        if counts and gone is not None and not self.rows:
            hint = did_you_mean(gone, counts) or f"the groups by {self.by} are: {', '.join(counts)}"
            raise DataError(f"no row that may be kept has {self.by} '{gone}', which has a weight in `mix`", hint)
        rows = self.rows or min(int(counts.get(group, 0) / share) for group, share in shares.items())
        return rounded({group: rows * share for group, share in shares.items()}, rows)


class Sample(config.Config):
    """Fewer rows, drawn from every group."""

    rows: int = Field(gt=0)
    """How many rows in all."""
    by: str = "source"
    """What makes the groups: `source`, `lang`, or a key of the rows' `meta`, as `level`."""
    shares: Literal["proportional", "equal"] = "proportional"
    """`equal`: as many rows of each group, as far as it has them; what one lacks the others make up."""
    seed: int = 0
    """Another seed, other rows."""

    def quotas(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Rows of each group, given how many it has; never more than that."""
        rows = min(self.rows, sum(counts.values()))
        if self.shares == "proportional":
            return rounded({group: rows * n / max(1, sum(counts.values())) for group, n in counts.items()}, rows)
        return _levelled(counts, rows)


class Draw:
    """Chooses rows once all are known, by hash: a row that is drawn stays drawn when others of its group are taken out.

    Of every row it remembers 16 bytes.
    """

    def __init__(self, config: Mix | Sample) -> None:
        self.config = config
        self._groups: dict[str, int] = {}
        self._of: list[np.ndarray] = []
        self._ranks: list[np.ndarray] = []

    def see(self, rows: Sequence[Record | Pair]) -> None:
        """Rows that may be drawn, in order."""
        names = [group_of(row, self.config.by) for row in rows]
        self._of.append(np.array([self._groups.setdefault(n, len(self._groups)) for n in names], dtype=np.int32))
        ids = np.array([int(content_id(row["id"]), 16) for row in rows], dtype=np.uint64)
        self._ranks.append(mixed(ids ^ mixed(np.array([self.config.seed % 2**64], dtype=np.uint64))))

    def chosen(self) -> np.ndarray:
        """(N,) bool, in the order the rows were seen."""
        of, ranks = np.concatenate([[], *self._of]).astype(np.int64), np.concatenate([[], *self._ranks])
        known = self._counts()
        counts, quotas = np.array([*known.values()], dtype=np.int64), self.config.quotas(known)
        most = np.array([quotas.get(group, 0) for group in known], dtype=np.int64)
        order = np.lexsort((ranks, of))
        place = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)  # within the group
        out = np.zeros(len(of), dtype=bool)
        out[order] = place < np.repeat(most, counts)
        return out

    def shortfall(self) -> dict[str, tuple[int, int]]:
        """Groups that have fewer rows than were asked for: how many they have, and how many were asked for."""
        counts = self._counts()
        asked = self.config.quotas(counts)
        return {group: (counts.get(group, 0), n) for group, n in asked.items() if counts.get(group, 0) < n}

    def _counts(self) -> dict[str, int]:
        """How many rows each group has; raises `DataError` where none has the column that groups are made by."""
        if list(self._groups) == [NO_GROUP]:
            told = f"no row has '{self.config.by}' in its `meta`, and `{type(self.config).__name__.lower()}` goes by it"
            raise DataError(told, "go by `source`, `lang` or a column of the raw rows that no shape reads")
        of = np.concatenate([[], *self._of]).astype(np.int64)
        return dict(zip(self._groups, np.bincount(of, minlength=len(self._groups)).tolist(), strict=True))


def group_of(row: Record | Pair, by: str) -> str:
    """The group a row is in."""
    if by in ("source", "lang"):
        return str(row[by])  # type: ignore[literal-required]
    meta: dict[str, Any] = json.loads(row["meta"])
    return str(meta.get(by, NO_GROUP))


def rounded(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers that sum to `total`: rounded down, and one more where the remainder is largest (Hamilton)."""
    out = {group: int(share) for group, share in shares.items()}
    left = sorted(shares, key=lambda group: (out[group] - shares[group], group))
    return {group: n + (group in left[: total - sum(out.values())]) for group, n in out.items()}


def _levelled(counts: Mapping[str, int], rows: int) -> dict[str, int]:
    """Alike, as far as each has them: the smallest groups first, what they lack goes to the others."""
    out: dict[str, int] = {}
    for left, group in zip(range(len(counts), 0, -1), sorted(counts, key=lambda g: (counts[g], g)), strict=True):
        out[group] = min(counts[group], (rows - sum(out.values())) // left)
    return out
