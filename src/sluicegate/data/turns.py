"""Orders in which rows and batches take turns, so that every prefix looks like the whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

SLACK = 1e-9
"""What sums of shares are off by, as floats."""


def take_turns(cells: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of rows in which their cells take turns, (N,); within a cell it is random.

    A cell comes up as often as the weights of its rows add up to, until it has no row left. Of any prefix before that,
    its count is off by less than one.

    Args:
        cells: the cell of each row, (N,); all rows of one have the same weight.
        weights: above 0, (N,).
    """
    rows = rng.permutation(len(cells))
    rows = rows[np.argsort(cells[rows], kind="stable")]
    _, starts, sizes = np.unique(cells[rows], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(starts, sizes) + np.repeat(rng.random(len(sizes)), sizes)
    return rows[np.argsort(place / (np.repeat(sizes, sizes) * weights[rows]), kind="stable")]


def merge(streams: Sequence[np.ndarray]) -> np.ndarray:
    """Streams of rows as one, in which each is spread evenly."""
    place = np.concatenate([(np.arange(len(stream)) + 0.5) / max(1, len(stream)) for stream in streams])
    return np.concatenate(streams)[np.argsort(place, kind="stable")]


def hold(drift: np.ndarray, start: np.ndarray, bound: float) -> list[int]:
    """An order of batches in which no sum of drifts grows beyond `bound`, and early batches stay early, (M,).

    One drift can always be held if it is at most `bound` in every batch and about 0 in all: whenever the next batch
    would go too far, one that leads back is taken in its place. With several it is held wherever one of the next
    batches of every kind allows it.

    Args:
        drift: what each batch has more of something than it should, (M, F).
        start: what the batches before them have, (F,).
        bound: how far from 0 a sum may be.
    """
    ahead: dict[tuple[bool, ...], deque[int]] = {}  # by what a batch has too much of
    moves: list[list[float]] = drift.tolist()
    for batch, move in enumerate(moves):
        ahead.setdefault(tuple(d > 0 for d in move), deque()).append(batch)
    order: list[int] = []
    sums: list[float] = start.tolist()

    def reach(batch: int) -> float:
        return max((abs(a + b) for a, b in zip(sums, moves[batch], strict=True)), default=0.0)

    while ahead:
        kinds = sorted(ahead, key=lambda kind: ahead[kind][0])
        kind = next((k for k in kinds if reach(ahead[k][0]) <= bound + SLACK), None)
        kind = kind if kind is not None else min(kinds, key=lambda k: reach(ahead[k][0]))
        batch = ahead[kind].popleft()
        if not ahead[kind]:
            del ahead[kind]
        order.append(batch)
        sums = [a + b for a, b in zip(sums, moves[batch], strict=True)]
    return order


def divide(exact: np.ndarray, total: int, first: np.ndarray) -> np.ndarray:
    """Whole numbers for `exact` ones, (G,), that add up to `total`; those of `first` are rounded up before others."""
    exact = np.maximum(exact, 0)
    exact = exact * (total / exact.sum())
    whole = np.floor(exact + SLACK).astype(np.int64)
    rest = exact - whole
    whole[np.argsort(-(rest + first * (rest > SLACK)), kind="stable")[: total - whole.sum()]] += 1
    return whole
