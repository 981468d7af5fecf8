"""Pairs of a better and a worse reply to tune on, with what a reference model makes of each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sluicegate.training.preference.rows import EncodedPair, collate_pairs
from sluicegate.training.scratch.epochs import rows_of_step
from sluicegate.training.scratch.objectives import Batch, log_probs


class PreferencePairs:
    """Batches for `dpo`.

    Args:
        pairs: both sides with the prompt before them, encoded.
        pad_id: what fills short rows up.
        batch_rows: B.
        reference: the model before it is tuned, in evaluation mode.
        seed: of the order, a new one each epoch.
    """

    def __init__(
        self, pairs: Sequence[EncodedPair], pad_id: int, batch_rows: int, reference: nn.Module, seed: int = 0
    ) -> None:
        self.pairs, self.pad_id, self.batch_rows, self.seed = pairs, pad_id, batch_rows, seed
        self.reference = torch.cat([self._log_probs(reference, n) for n in range(0, len(pairs), batch_rows)])
        """log π_ref of the chosen and the rejected side of every pair, (N, 2)."""

    def batch(self, step: int) -> Batch:
        """Of the 0-based `step`: `input_ids`, `attention_mask` and `labels`, each (B, 2, T), `reference` (B, 2), and
        `terms` (B,)."""
        numbers = rows_of_step(len(self.pairs), self.batch_rows, self.seed, step)
        return {**self._sides(numbers), "reference": self.reference[numbers], "terms": torch.ones(len(numbers))}

    def _sides(self, numbers: Sequence[int]) -> dict[str, Tensor]:
        rows = collate_pairs([self.pairs[n] for n in numbers], self.pad_id)  # (2B, T) each, all chosen sides first
        return {name: tensor.unflatten(0, (2, -1)).transpose(0, 1) for name, tensor in rows.items()}  # (B, 2, T)

    @torch.no_grad()
    def _log_probs(self, model: nn.Module, first: int) -> Tensor:
        """Of a batch of pairs in their order, (B, 2)."""
        device = next(model.parameters()).device
        sides = self._sides(range(first, min(first + self.batch_rows, len(self.pairs))))
        rows = (sides[name].flatten(0, 1).to(device) for name in ("input_ids", "attention_mask", "labels"))
        return log_probs(model, *rows).view(-1, 2).cpu()
