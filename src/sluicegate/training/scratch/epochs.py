"""Rows in a new random order each epoch; the number of a step alone decides which rows it has."""

from __future__ import annotations

import random
from functools import lru_cache


@lru_cache(maxsize=2)
def shuffled(n: int, seed: int, epoch: int) -> list[int]:
    """The order of `n` things in an epoch."""
    order = list(range(n))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return order


def rows_of_step(n: int, size: int, seed: int, step: int) -> list[int]:
    """Which of `n` rows the 0-based `step` trains on, `size` of them; an epoch may end inside it."""
    places = range(step * size, (step + 1) * size)
    return [shuffled(n, seed, place // n)[place % n] for place in places]
