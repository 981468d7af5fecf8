"""Conversations to tune on: padded rows of which the loss sees only what the assistant says."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.models.encode import IGNORED, Encoded, collate
from sluicegate.training.scratch.epochs import rows_of_step
from sluicegate.training.scratch.objectives import Batch


class Conversations:
    """Batches for `masked_sft`.

    Args:
        rows: of an `Encoder`, or of its cache.
        pad_id: what fills short rows up.
        batch_rows: B.
        seed: of the order, a new one each epoch.
    """

    def __init__(self, rows: Sequence[Encoded], pad_id: int, batch_rows: int, seed: int = 0) -> None:
        self.rows, self.pad_id, self.batch_rows, self.seed = rows, pad_id, batch_rows, seed

    def batch(self, step: int) -> Batch:
        """Of the 0-based `step`: `input_ids`, `attention_mask` and `labels`, each (B, T), and `terms` (B,)."""
        numbers = rows_of_step(len(self.rows), self.batch_rows, self.seed, step)
        found = collate([self.rows[n] for n in numbers], self.pad_id)
        return {**found, "terms": (found["labels"] != IGNORED).sum(1)}
