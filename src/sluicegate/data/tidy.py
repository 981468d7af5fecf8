"""The part of a preparation that looks at one row at a time, so that any process can do it with any parcel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from sluicegate.data.clean.base import Cleaner, build_cleaners, clean
from sluicegate.data.clean.tokens import Tokens
from sluicegate.data.decontaminate import Contamination, Hit
from sluicegate.data.intake import Candidate, Intake, Parcel
from sluicegate.data.near import Near, Signatures, signatures
from sluicegate.data.readers import Row
from sluicegate.data.shapes import Unfit
from sluicegate.schema import Message, Pair, Record


class Batch(NamedTuple):
    """The candidates of one parcel, and what is to be known of them."""

    candidates: list[Candidate]
    tokens: list[int | None]
    """Of each, where a tokenizer counts."""
    signatures: Signatures | None
    """Of those that are fit, for near copies."""
    hits: dict[int, Hit]
    """By the candidate's position: what it has in common with a set it must not hold."""
    counts: Counter[str]
    """What cleaning changed."""


@dataclass(frozen=True)
class Tidy:
    """What is done to every row; cheap to send to another process, which calls it once and the result often."""

    clean: Mapping[str, Any]
    near: Near | None = None
    contamination: Contamination | None = None

    def __call__(self) -> Worker:
        """A worker with everything built."""
        return Worker(self)


class Worker:
    """Opens parcels."""

    def __init__(self, tidy: Tidy) -> None:
        self._tidy = tidy
        self._cleaners = build_cleaners(tidy.clean)
        self._tokens = next((c for c in self._cleaners if isinstance(c, Tokens) and c.config.tokenizer), None)

    def __call__(self, parcel: Parcel) -> Batch:
        """The batch of a parcel."""
        if any(type(cleaner).row is not Cleaner.row for cleaner in self._cleaners):
            parcel = replace(parcel, intake=_Mending(parcel.intake, self._cleaners))
        candidates = list(map(self._clean, parcel.candidates()))
        rows = [(at, c.record) for at, c in enumerate(candidates) if c.record and c.fit]
        turns = [turns_of(row) for _, row in rows]
        near = signatures(turns, self._tidy.near) if self._tidy.near else None
        found = self._tidy.contamination.hits(turns) if self._tidy.contamination else {}
        hits = {rows[n][0]: hit for n, hit in found.items()}
        return Batch(candidates, list(map(self._count, candidates)), near, hits, self._take_counts())

    def _clean(self, candidate: Candidate) -> Candidate:
        if candidate.record is None or candidate.reason or not self._cleaners:
            return candidate
        try:
            return replace(candidate, record=clean(candidate.record, self._cleaners))
        except Unfit as unfit:
            return replace(candidate, reason=str(unfit))

    def _count(self, candidate: Candidate) -> int | None:
        row = candidate.record
        return self._tokens.count(turns_of(row), row["lang"]) if self._tokens and row and candidate.fit else None

    def _take_counts(self) -> Counter[str]:
        taken: Counter[str] = Counter()
        for cleaner in self._cleaners:
            taken += cleaner.counts
            cleaner.counts.clear()
        return taken


@dataclass(frozen=True)
class _Mending:
    """An intake whose raw rows are mended before their shape is looked for."""

    inner: Intake
    cleaners: Sequence[Cleaner]

    def candidates(self, rows: Iterable[Row], origin: str) -> Iterator[Candidate]:
        return self.inner.candidates(map(self._mended, rows), origin)

    def _mended(self, row: Row) -> Row:
        for cleaner in self.cleaners:
            row = cleaner.row(row)
        return row


def turns_of(row: Record | Pair) -> list[Message]:
    """All that a record or a pair says, turn by turn."""
    if "chosen" in row:
        pair = cast(Pair, row)
        return [*pair["prompt"], *pair["chosen"], *pair["rejected"]]
    return cast(Record, row)["messages"]
