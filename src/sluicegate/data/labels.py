"""What rows can be told apart by: a column as its few values, and which of them each row has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

QUARTERS = ("q1", "q2", "q3", "q4")
NO_NUMBER = "none"


@dataclass(frozen=True)
class Labels:
    """A column of N rows."""

    values: list[str]
    """Those it has, or may have, (V,)."""
    member: np.ndarray
    """The number of each row's value, (N,)."""

    @classmethod
    def of(cls, column: np.ndarray) -> Labels:
        """Of texts; of numbers that are no whole ones by the quarter each is in, `q1` the lowest, NaN in `none`."""
        if column.dtype.kind == "f":
            return cls([*QUARTERS, NO_NUMBER], _quarters(column))
        values, member = np.unique(column.astype(str), return_inverse=True)
        return cls(values.tolist(), member)

    def spread(self, by_value: Mapping[str, float], default: float) -> np.ndarray:
        """A number for every row by its value, (N,); `default` where the value has none."""
        return np.array([by_value.get(value, default) for value in self.values])[self.member]

    def count(self, rows: np.ndarray) -> dict[str, int]:
        """How many of some rows have each value; values that none has are left out."""
        counts = np.bincount(self.member[rows], minlength=len(self.values)).tolist()
        return {value: n for value, n in zip(self.values, counts, strict=True) if n}


def _quarters(column: np.ndarray) -> np.ndarray:
    known = column[~np.isnan(column)]
    cuts = np.quantile(known, (0.25, 0.5, 0.75)) if len(known) else np.zeros(3)
    return np.where(np.isnan(column), len(QUARTERS), np.searchsorted(cuts, column))
