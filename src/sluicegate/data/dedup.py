"""Copies of a conversation over all sources: set aside (`exact`, and `near` ones too), or told apart (`none`)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np

from sluicegate.data.hash_index import HashIndex
from sluicegate.data.intake import Candidate
from sluicegate.data.near import Near, Signatures
from sluicegate.data.near_index import NearIndex

DedupName = Literal["exact", "near", "none"]
_LINE_BITS = 40


class Copy(NamedTuple):
    """What became of one record."""

    id: str
    """An id no other record has, unless there is a reason."""
    reason: str = ""
    """Why it is set aside; empty if it is not."""


class Dedup(Protocol):
    """Sees every record once, in order, some hundred at a time; remembers some bytes of each."""

    def __call__(self, candidates: Sequence[Candidate], found: Signatures | None) -> list[Copy]:
        """What becomes of candidates, each with a record."""


class Places:
    """Places as numbers of 8 bytes, and back."""

    def __init__(self) -> None:
        self._origins: dict[str, int] = {}

    def number(self, candidate: Candidate) -> int:
        """The number of the place a candidate stood at."""
        return self._origins.setdefault(candidate.origin, len(self._origins)) << _LINE_BITS | candidate.row.line

    def told(self, number: int) -> str:
        """The place, for people."""
        return f"{list(self._origins)[number >> _LINE_BITS]} line {number & ((1 << _LINE_BITS) - 1)}"


class Exact:
    """Keeps the first copy; the reason of every later one names the first one's place."""

    def __init__(self) -> None:
        self.places = Places()
        self._index, self._first = HashIndex(), array("q")

    def __call__(self, candidates: Sequence[Candidate], found: Signatures | None) -> list[Copy]:
        places = [self.places.number(candidate) for candidate in candidates]
        rows = _numbered(self._index, _keys(candidates), len(self._first))
        out = []
        for candidate, row, place in zip(candidates, rows, places, strict=True):
            new = row == len(self._first)
            if new:
                self._first.append(place)
            out.append(Copy(_id(candidate), "" if new else f"duplicate: of {self.places.told(self._first[row])}"))
        return out


class Nearly:
    """Keeps the first of near copies as well; what `Exact` sets aside is no original of any."""

    def __init__(self, near: Near) -> None:
        self._exact, self._index = Exact(), NearIndex(near)

    def __call__(self, candidates: Sequence[Candidate], found: Signatures | None) -> list[Copy]:
        assert found is not None, "near copies are known by their signatures"
        out, places = self._exact(candidates, None), self._exact.places
        numbers = [-1 if copy.reason else places.number(c) for copy, c in zip(out, candidates, strict=True)]
        for at, match in self._index.originals(found, np.array(numbers, dtype=np.int64)).items():
            of = places.told(match.number)
            out[at] = Copy(out[at].id, f"near duplicate: {min(match.alike, 1):.2f} alike, of {of}")
        return out


class Keep:
    """Keeps every copy; the second one's id ends in `.2`, the third one's in `.3`."""

    def __init__(self) -> None:
        self._index, self._copies = HashIndex(), array("q")

    def __call__(self, candidates: Sequence[Candidate], found: Signatures | None) -> list[Copy]:
        out = []
        for candidate, row in zip(
            candidates, _numbered(self._index, _keys(candidates), len(self._copies)), strict=True
        ):
            if row == len(self._copies):
                self._copies.append(0)
            self._copies[row] += 1
            n = self._copies[row]
            out.append(Copy(_id(candidate) if n == 1 else f"{_id(candidate)}.{n}"))
        return out


def build_dedup(name: DedupName, near: Near) -> Dedup:
    """The way of dealing with copies that has this name."""
    if name == "near":
        return Nearly(near)
    return Exact() if name == "exact" else Keep()


def _id(candidate: Candidate) -> str:
    assert candidate.record is not None
    return candidate.record["id"]


def _keys(candidates: Sequence[Candidate]) -> np.ndarray:
    """The 16 hex digits of every id, (B,) uint64."""
    return np.array([int(_id(candidate), 16) for candidate in candidates], dtype=np.uint64)


def _numbered(index: HashIndex, keys: np.ndarray, known: int) -> list[int]:
    """The row of every key: equal keys have one, new ones are counted on from those that are known."""
    rows = index.find(keys)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    new = np.sort(first[rows[first] < 0])  # in order of appearance
    index.add(keys[new], np.arange(known, known + len(new)))
    of_first = np.full(len(keys), -1, dtype=np.int64)
    of_first[new] = np.arange(known, known + len(new))
    return np.where(rows >= 0, rows, of_first[first[inverse]]).tolist()
