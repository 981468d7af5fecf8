"""64-bit hashes to row numbers in two flat arrays: 8 to 12 bytes a slot, where a dict takes a hundred an entry."""

from __future__ import annotations

from typing import Any

import numpy as np

FULLEST = 0.6
"""Share of the slots that may be taken; above it probes grow long."""
_FIRST_BITS = 12


class HashIndex:
    """Open addressing with linear probing, a whole array of keys at a time.

    Args:
        key_type: `uint64` keeps keys whole; `uint32` keeps their upper half, so that one key in two hundred finds a
            row it was not added with once there are 20 million, for callers that look at the row themselves.
    """

    def __init__(self, key_type: Any = np.uint64) -> None:
        self._shorten = 64 - np.dtype(key_type).itemsize * 8
        self._type = np.dtype(key_type)
        self._taken = 0
        self._clear(_FIRST_BITS)

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The row each key was added with, -1 for one that was not: (K,) uint64 to (K,) int64."""
        keys = self._short(keys)
        found = np.full(len(keys), -1, dtype=np.int64)
        left, at = np.arange(len(keys)), self._home(keys)
        while len(left):
            rows = self._rows[at]
            hit = (rows != 0) & (self._keys[at] == keys[left])
            found[left[hit]] = rows[hit].astype(np.int64) - 1
            on = ~hit & (rows != 0)
            left, at = left[on], self._next(at[on])
        return found

    def add(self, keys: np.ndarray, rows: np.ndarray) -> None:
        """Add keys (K,) uint64, well mixed, none of them added before, with their rows (K,), below 2**32 - 1."""
        self._taken += len(keys)
        while self._taken > FULLEST * len(self._rows):
            self._grow()
        self._place(self._short(keys), (rows + 1).astype(np.uint32))

    def _short(self, keys: np.ndarray) -> np.ndarray:
        return (keys >> np.uint64(self._shorten)).astype(self._type)

    def _home(self, keys: np.ndarray) -> np.ndarray:
        """By the upper bits, which both widths keep."""
        return (keys >> self._type.type(self._type.itemsize * 8 - self._bits)).astype(np.int64)

    def _next(self, at: np.ndarray) -> np.ndarray:
        return (at + 1) & (len(self._rows) - 1)

    def _place(self, keys: np.ndarray, rows: np.ndarray) -> None:
        at = self._home(keys)
        while len(at):
            free = self._rows[at] == 0
            self._keys[at[free]], self._rows[at[free]] = keys[free], rows[free]  # of several in one slot the last stays
            on = (self._rows[at] != rows) | (self._keys[at] != keys)
            keys, rows, at = keys[on], rows[on], self._next(at[on])

    def _clear(self, bits: int) -> None:
        self._bits = bits
        self._keys = np.zeros(1 << bits, dtype=self._type)
        self._rows = np.zeros(1 << bits, dtype=np.uint32)  # 0 is free, row r is r + 1

    def _grow(self) -> None:
        keys, rows = self._keys, self._rows
        self._clear(self._bits + 1)
        for start in range(0, len(rows), 1 << 20):  # in pieces: what is sorted out here is copied
            taken = np.flatnonzero(rows[start : start + (1 << 20)]) + start
            self._place(keys[taken], rows[taken])
