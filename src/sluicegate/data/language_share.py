"""How many rows languages get of a run when some have a least share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sluicegate.data.labels import Labels
from sluicegate.errors import DataError
from sluicegate.schema import Lang

OTHERS = "others"


@dataclass(frozen=True)
class Groups:
    """Rows by language: one group for each language that has a share, and one for all others."""

    names: list[str]
    """(G,), the last is `OTHERS`."""
    least: np.ndarray
    """The share each asks for, (G,); 0 for the others."""
    member: np.ndarray
    """The group of each row, (N,)."""

    @classmethod
    def of(cls, lang: Labels, share: Mapping[Lang, float]) -> Groups:
        """Of the rows' languages."""
        names: list[str] = [*share, OTHERS]
        place: dict[str, float] = {name: float(number) for number, name in enumerate(share)}
        member = lang.spread(place, default=float(len(share))).astype(np.int64)
        return cls(names, np.array([*share.values(), 0.0]), member)

    def rates(self, taken: np.ndarray) -> np.ndarray:
        """The share of the run that each group gets, (G,): its share of the rows, or the least one where that is more.

        Args:
            taken: which rows may be used, (N,).

        Raises:
            DataError: no rows, or none of a language that has a share.
        """
        rows = np.bincount(self.member[taken], minlength=len(self.names))
        if not rows.sum():
            raise DataError("no rows to sample from", "give rows, and a weight above 0 to some of them")
        if lost := [name for name, n, least in zip(self.names, rows, self.least, strict=True) if least and not n]:
            raise DataError(f"there are no {lost[0]} rows to hold a share of", "add some, or take it out of `share`")
        short = np.zeros(len(rows), dtype=bool)
        while True:  # what a language gets more than it has is missing to those that had enough before
            left, natural = 1 - self.least[short].sum(), np.where(short, 0, rows)
            rates = np.where(short, self.least, left * natural / max(1, natural.sum()))
            if not (more := ~short & (rates < self.least)).any():
                return rates
            short |= more

    def epoch(self, rates: np.ndarray, whole: bool) -> float:
        """Rows that go by until every row was seen, with `whole`, or until those of the first group were."""
        rows = np.bincount(self.member, minlength=len(self.names))[rates > 0]
        return float((max if whole else min)(rows / rates[rates > 0]))
