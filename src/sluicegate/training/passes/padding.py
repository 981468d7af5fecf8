"""Rows of a pass side by side, filled up behind their ends."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sluicegate.models.encode import Encoded, collate


def pad(batch: Sequence[Encoded], pad_id: int) -> dict[str, Tensor]:
    """`input_ids` and `labels`, each (B, T), without a mask: a token never looks ahead, where all padding is, and
    attention that is plainly causal takes its fast path."""
    tensors = collate(batch, pad_id)
    return {name: tensors[name] for name in ("input_ids", "labels")}
