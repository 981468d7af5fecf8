"""Orders of rows: by id, by score, kind by kind and in turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LETTERS = 8
"""So many, a byte each, are compared as one number."""


def by_id(ids: np.ndarray) -> np.ndarray:
    """Rows in the order of their ids (N,) of str: by the first letters, and where these are equal by all of them."""
    n_letters = ids.dtype.itemsize // 4
    letters = np.ascontiguousarray(ids).view(np.uint32).reshape(-1, n_letters)[:, :LETTERS]  # (N, L) code points
    if letters.max(initial=0) > 255:
        return np.argsort(ids, kind="stable")
    head = np.zeros((len(ids), LETTERS), dtype=np.uint8)
    head[:, : letters.shape[1]] = letters
    first = head.view(">u8")[:, 0].astype(np.uint64)  # (N,)
    order = np.argsort(first)
    same = first[order][1:] == first[order][:-1]
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    order[tied] = order[tied][np.argsort(ids[order[tied]], kind="stable")]
    return order


def best_first(score: np.ndarray) -> np.ndarray:
    """Rows from the highest score to the lowest; equal scores stay in order, which is by id."""
    return np.argsort(-score, kind="stable")


def kinds(column: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The names in a column (N,), sorted, and the number of the name of each row, (N,)."""
    rows = column.tolist()
    names = sorted(set(rows))
    number = {name: n for n, name in enumerate(names)}
    return names, np.fromiter((number[name] for name in rows), dtype=np.int32, count=len(rows))


def apart(order: np.ndarray, member: np.ndarray) -> list[np.ndarray]:
    """The rows of every kind in their order; `member` (N,) says of which kind, counted from 0, each row is."""
    rows = order[np.argsort(member[order], kind="stable")]
    return np.split(rows, np.cumsum(np.bincount(member))[:-1])


def in_turns(orders: Sequence[np.ndarray], spans: Sequence[slice]) -> np.ndarray:
    """Rows of several orders that take turns in proportion to their length; of each only those in its span."""
    places = [np.arange(len(order))[span] / len(order) for order, span in zip(orders, spans, strict=True)]
    rows = [order[span] for order, span in zip(orders, spans, strict=True)]
    turns = np.argsort(np.concatenate([np.empty(0), *places]), kind="stable")
    return np.concatenate([np.empty(0, dtype=np.int64), *rows])[turns]
