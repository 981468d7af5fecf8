"""Which rows a training reads: those a selection kept of a pool, and trusted rows that are not among them."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from sluicegate.artifacts import Artifact
from sluicegate.errors import ArtifactError, DataError
from sluicegate.schema import Record, content_id

UNKNOWN = "none"
"""The label of a row whose `meta` lacks a key that others have."""


@dataclass(frozen=True)
class TrainingRows:
    """Rows by id; what they hold is read from the disk when it is asked for, those of the pool first."""

    data: Artifact
    pool_ids: Sequence[str]
    trusted: Artifact | None
    trusted_ids: Sequence[str]

    @classmethod
    def of(
        cls,
        data: Artifact,
        selection: Artifact | None,
        trusted: Artifact | None,
        mixture: float | None = None,
        seed: int = 0,
    ) -> TrainingRows:
        """Of the inputs of a training.

        Args:
            mixture: the share of the selection's rows among those of the pool; the others are drawn from what it did
                not keep, all of that where there is too little. None: its rows alone.
            seed: decides which are drawn.

        Raises:
            ArtifactError: a selection made over other data.
            DataError: there is no row.
        """
        pool = _ids(data) if selection is None else _kept(data, selection)
        pool = pool if mixture is None else _mixed(_ids(data), pool, mixture, seed)
        known = {content_id(one) for one in pool}
        new = [one for one in _ids(trusted) if content_id(one) not in known] if trusted else []
        if not pool and not new:
            raise DataError(f"{data.id}: no rows to train on", "select more of them")
        return cls(data, pool, trusted, new)

    @property
    def ids(self) -> list[str]:
        """Of all rows, in order."""
        return [*self.pool_ids, *self.trusted_ids]

    def records(self) -> Iterator[Record]:
        """The rows, in order."""
        return cast(Iterator[Record], self._read(None))

    def columns(self, extra: Collection[str] = (), scores: Artifact | None = None) -> dict[str, np.ndarray]:
        """`lang`, `source` and each of `extra` of every row, (N,): numbers where it is a column of `scores`, NaN for a
        row without a score; labels where it is a key of `meta`. One that is neither is left out."""
        scored = [name for name in extra if scores and name in scores.columns("scores")]
        others = [name for name in extra if name not in scored]
        found = {name: np.array(values) for name, values in self._labels(others).items()}
        if scored and scores:
            by_id = {row["id"]: row for row in scores.rows("scores", ["id", *scored])}
            found |= {s: np.array([by_id.get(i, {}).get(s, np.nan) for i in self.ids], dtype=float) for s in scored}
        return found

    def _labels(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """`lang`, `source` and those of `keys` that any row's `meta` has."""
        labels: dict[str, list[str]] = {name: [] for name in ("lang", "source", *keys)}
        met: set[str] = set()
        for row in self._read(["id", "lang", "source", *(["meta"] if keys else [])]):
            meta = json.loads(row["meta"]) if keys else {}
            met.update(meta)
            for name, values in labels.items():
                values.append(str(meta.get(name, UNKNOWN)) if name in keys else row[name])
        return {name: values for name, values in labels.items() if name in met or name not in keys}

    def _read(self, columns: Sequence[str] | None) -> Iterator[dict[str, Any]]:
        yield from _only(self.data, self.pool_ids, columns)
        if self.trusted:
            yield from _only(self.trusted, self.trusted_ids, columns)


def _ids(data: Artifact) -> list[str]:
    return [row["id"] for row in data.rows("messages", ["id"])]


def _kept(data: Artifact, selection: Artifact) -> list[str]:
    """Joined by id; a selection made over other data is refused."""
    kept = {row["id"] for row in selection.rows("selection", ["id", "kept"]) if row["kept"]}
    found = [one for one in _ids(data) if one in kept]
    if missing := kept - set(found):
        rows = "1 row" if len(missing) == 1 else f"{len(missing):,} rows"
        what = f"{selection.id} keeps {rows} that {data.id} has not, {min(missing)} among them"
        raise ArtifactError(what, "give the data that was scored")
    return found


def _mixed(ids: Sequence[str], kept: Sequence[str], share: float, seed: int) -> list[str]:
    """In the order of the data, so that it is the rows alone that hang on the seed."""
    known = set(kept)
    rest = [one for one in ids if one not in known]
    drawn = random.Random(seed).sample(rest, min(len(rest), round(len(kept) * (1 / share - 1))))
    known.update(drawn)
    return [one for one in ids if one in known]


def _only(data: Artifact, ids: Sequence[str], columns: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    wanted = set(ids)
    return (row for row in data.rows("messages", columns) if row["id"] in wanted)
