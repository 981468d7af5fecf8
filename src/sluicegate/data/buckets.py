"""Length buckets: rows of one bucket can share a batch without much padding."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import AfterValidator, Field


def _rising(bounds: list[int]) -> list[int]:
    if any(low >= high for low, high in pairwise([0, *bounds])):
        raise ValueError("bounds rise from one to the next, from above 0")
    return bounds


Bounds: TypeAlias = Annotated[list[int], Field(min_length=1), AfterValidator(_rising)]
"""Tokens up to which each bucket reaches; a last one holds what is longer."""

BOUNDS = (256, 1024, 2048)


def bucket_of(n_tokens: int, bounds: Sequence[int] = BOUNDS) -> int:
    """The number of the bucket a length belongs to, 0 to `len(bounds)`; a bound belongs to the bucket it closes."""
    return bisect_left(bounds, n_tokens)


def buckets_of(n_tokens: np.ndarray, bounds: Sequence[int] = BOUNDS) -> np.ndarray:
    """`bucket_of` every length, (N,) to (N,)."""
    return np.searchsorted(np.asarray(bounds), n_tokens, side="left")


def bucket_names(bounds: Sequence[int] = BOUNDS) -> list[str]:
    """What the buckets are called, in order: `0-256`, `257-1024`, `1025-2048`, `over 2048`."""
    starts = [-1, *bounds]
    return [f"{low + 1}-{high}" for low, high in pairwise(starts)] + [f"over {bounds[-1]}"]
