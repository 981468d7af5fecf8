"""Rows of a pass end to end in one row: nothing is padding, and the loss is that of the rows apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor

from sluicegate.models.encode import Encoded


def pack(batch: Sequence[Encoded]) -> dict[str, Tensor]:
    """`input_ids`, `labels` and `position_ids`, each (1, T) for T tokens in all.

    Positions begin anew with every row, by which attention knows where one ends: a mask would hide it from that. The
    first token of a row is no label, so none is predicted from the row before.
    """
    return {
        "input_ids": torch.tensor([list(chain.from_iterable(row.ids for row in batch))]),
        "labels": torch.tensor([list(chain.from_iterable(row.labels for row in batch))]),
        "position_ids": torch.tensor([list(chain.from_iterable(range(len(row.ids)) for row in batch))]),
    }


def balanced(order: Sequence[int], n_tokens: Sequence[int], step: int, room: int) -> list[int]:
    """The same rows in every step, shared among its passes so that each has about as many tokens.

    Args:
        order: numbers of rows as they are trained on.
        n_tokens: of each row.
        step: rows of an optimizer step.
        room: rows of a pass.
    """
    steps = (order[at : at + step] for at in range(0, len(order), step))
    return [row for rows in steps for share in _shares(rows, n_tokens, room) for row in share]


def _shares(rows: Sequence[int], n_tokens: Sequence[int], room: int) -> Iterator[list[int]]:
    """The longest row first, each to the pass that has the fewest tokens; only the last pass may have fewer rows."""
    rooms = [min(room, len(rows) - at) for at in range(0, len(rows), room)]
    shares: list[list[int]] = [[] for _ in rooms]
    tokens = [0] * len(rooms)
    for row in sorted(rows, key=lambda row: -n_tokens[row]):
        lightest = min((n for n, share in enumerate(shares) if len(share) < rooms[n]), key=tokens.__getitem__)
        shares[lightest].append(row)
        tokens[lightest] += n_tokens[row]
    yield from shares
