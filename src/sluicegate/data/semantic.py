"""Copies in meaning (SemDeDup, arXiv 2303.09540): rows whose vectors point the same way, whatever their words are."""

from __future__ import annotations

import numpy as np

_BLOCK = 1024


def semantic_copies(vectors: np.ndarray, threshold: float) -> dict[int, tuple[int, float]]:
    """Which of N rows are copies of an earlier one that stays: position to the position of that and their cosine.

    Every row is compared with every row before it that stays, N * N / 2 products of length H in all. A vector of no
    length is a copy of nothing.

    Args:
        vectors: (N, H).
        threshold: cosine from which on the later row is a copy.
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    stays, copies = np.ones(len(unit), dtype=bool), dict[int, tuple[int, float]]()
    for start in range(0, len(unit), _BLOCK):
        alike = unit[start : start + _BLOCK] @ unit[: start + _BLOCK].T  # (b, start + b)
        for row in np.flatnonzero((np.tril(alike, start - 1) >= threshold).any(axis=1)).tolist():
            at = start + row
            before = np.where(stays[:at], alike[row, :at], -1.0)
            if before.max(initial=-1.0) >= threshold:
                copies[at] = int(before.argmax()), float(before.max())
                stays[at] = False
    return copies
