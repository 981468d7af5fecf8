"""Dividing a budget of rows among groups."""

from __future__ import annotations

import numpy as np


def proportional(sizes: np.ndarray, budget: int) -> np.ndarray:
    """Shares in proportion to the groups' sizes, by largest remainder; the first group wins a tie.

    Args:
        sizes: Rows per group, (G,).
        budget: Rows to keep in all, at most `sizes.sum()`.

    Returns:
        Rows to keep per group, (G,); their sum is `budget` and none exceeds its group.
    """
    exact = budget * sizes.astype(np.int64)
    shares, remainders = np.divmod(exact, sizes.sum())  # in integers, so that equal remainders are equal
    shares[np.argsort(-remainders, kind="stable")[: budget - shares.sum()]] += 1
    return shares


def weighted(sizes: np.ndarray, weights: np.ndarray, budget: int) -> np.ndarray:
    """Shares in proportion to `weights`, (G,), by largest remainder; a group smaller than its share is taken whole and
    the others divide what it leaves in the same way.

    Arguments and result as for `proportional`.
    """
    shares, is_open = np.zeros(len(sizes), dtype=np.int64), sizes > 0
    while True:
        left = budget - shares.sum()
        exact = np.where(is_open, weights, 0.0) * (left / max(weights[is_open].sum(), np.finfo(float).tiny))
        whole = is_open & (exact >= sizes)
        if not whole.any():
            break
        shares[whole], is_open = sizes[whole], is_open & ~whole
    shares += np.floor(exact).astype(np.int64)
    remainders = np.where(is_open, exact - np.floor(exact), -1.0)
    shares[np.argsort(-remainders, kind="stable")[: budget - shares.sum()]] += 1
    return shares


def even(sizes: np.ndarray, budget: int) -> np.ndarray:
    """Equal shares; a group smaller than its share is taken whole and the larger ones divide what it leaves.

    Arguments and result as for `proportional`.
    """
    shares = np.zeros(len(sizes), dtype=np.int64)
    smallest_first = np.argsort(sizes, kind="stable")
    for done, group in enumerate(smallest_first):
        left = budget - shares.sum()
        shares[group] = min(sizes[group], left // (len(sizes) - done))
    return shares
