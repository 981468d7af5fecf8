"""Near copies among all rows of all sources: the first stays, a later one learns which it is a copy of."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from sluicegate.data.hash_index import HashIndex
from sluicegate.data.near import Near, Signatures, similarity

_BLOCK = 1 << 16


class Match(NamedTuple):
    """An earlier conversation that a signature is most like."""

    alike: float
    number: int


class NearIndex:
    """Remembers the conversations that are kept, and tells of a later one which of them it is a near copy of.

    It grows by about `permutations` + 18 * bands bytes with every signature, 0.4 kB with the usual ones.
    """

    def __init__(self, near: Near) -> None:
        self._threshold = near.threshold
        self._index = HashIndex(np.uint32)
        self._hashes: list[np.ndarray] = []  # in blocks, so that nothing is copied when they grow
        self._numbers = array("q")

    def originals(self, found: Signatures, numbers: np.ndarray) -> dict[int, Match]:
        """Which of B conversations, by their position, are near copies, and of which number.

        Those that are a near copy of none are remembered.

        Args:
            numbers: (B,) int64 what each conversation is to be known by; -1 for one to pass over.
        """
        chunk = _Chunk(found, self._index.find(found.keys.ravel()).reshape(found.keys.shape))
        copies: dict[int, Match] = {}
        for b in np.flatnonzero((np.diff(found.offsets) > 0) & (numbers >= 0)).tolist():
            mine = range(found.offsets[b], found.offsets[b + 1])
            if match := self._match(chunk, mine):
                copies[b] = match
            else:
                self._keep(chunk, mine, int(numbers[b]))
        self._index.add(*chunk.new_keys())
        return copies

    def _match(self, chunk: _Chunk, mine: range) -> Match | None:
        """What the conversation is a near copy of; of several turns what the first is, and how alike the least is."""
        if not chunk.met[mine.start : mine.stop].all():
            return None
        best = [max((self._compare(chunk.found.hashes[s], n) for n in chunk.candidates(s)), default=None) for s in mine]
        alike = min(match.alike if match else 0.0 for match in best)
        return Match(alike, best[0].number) if best[0] and alike >= self._threshold else None

    def _compare(self, hashes: np.ndarray, n: int) -> Match:
        return Match(similarity(hashes, self._hashes[n // _BLOCK][n % _BLOCK]), self._numbers[n])

    def _keep(self, chunk: _Chunk, mine: Iterable[int], number: int) -> None:
        for s in mine:
            n = len(self._numbers)
            if n % _BLOCK == 0:
                self._hashes.append(np.empty((_BLOCK, chunk.found.hashes.shape[1]), dtype=np.uint8))
            self._hashes[-1][n % _BLOCK] = chunk.found.hashes[s]
            self._numbers.append(number)
            chunk.remember(s, n)


class _Chunk:
    """Conversations that are looked at together: what of theirs is indexed, and what they share among themselves."""

    def __init__(self, found: Signatures, indexed: np.ndarray) -> None:
        self.found = found
        self.indexed = indexed  # (S, bands) the signature first added under each key, -1 for none
        _, inverse, counts = np.unique(found.keys, return_inverse=True, return_counts=True)
        self.shared = counts[inverse].reshape(found.keys.shape) > 1  # (S, bands) keys that stand here twice
        self.met: np.ndarray = np.any((indexed >= 0) | self.shared, axis=1)  # (S,)
        self._kept = np.full(len(found.keys), -1, dtype=np.int64)
        self._recent: dict[int, int] = {}

    def candidates(self, s: int) -> set[int]:
        """Kept signatures that share a key with one of these."""
        before = self.indexed[s][self.indexed[s] >= 0].tolist()
        keys = self.found.keys[s][self.shared[s]].tolist()
        return {*before, *(self._recent[key] for key in keys if key in self._recent)}

    def remember(self, s: int, n: int) -> None:
        """One of these is kept, as number n of all."""
        self._kept[s] = n
        for key in self.found.keys[s][self.shared[s]].tolist():
            self._recent.setdefault(key, n)

    def new_keys(self) -> tuple[np.ndarray, np.ndarray]:
        """(K,) the keys of those kept that are not indexed yet, each once, and (K,) the first signature with each."""
        new = (self.indexed < 0) & (self._kept >= 0)[:, None]
        keys, first = np.unique(self.found.keys[new], return_index=True)
        return keys, np.broadcast_to(self._kept[:, None], new.shape)[new][first]
