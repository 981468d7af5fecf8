"""What gates learn from: a frozen model's states and surprise over response tokens, read once and cached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sluicegate.errors import ArtifactError
from sluicegate.models.encode import Encoded, length_batches
from sluicegate.models.gates.surprise import surprise_features
from sluicegate.models.layers import mlp_of
from sluicegate.models.surprise import free_losses, read
from sluicegate.runtime import track

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Features:
    """The T response tokens of B rows, rows one after the other."""

    now: list[Tensor]
    """Per gated layer (T, H): the normalised state entering the MLP at the token."""
    before: list[Tensor]
    """Per gated layer (T, H): the same one token earlier."""
    surprise: Tensor
    """(T, S)"""
    start: Tensor
    """(B + 1,) where each row's tokens begin; the last entry is T."""

    def tokens(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Token indices of some rows, and for each the place of its row in `rows`: two of (t,)."""
        index = torch.cat([torch.arange(int(self.start[r]), int(self.start[r + 1])) for r in rows.tolist()])
        count = self.start[rows + 1] - self.start[rows]
        return index, torch.repeat_interleave(torch.arange(len(rows)), count)


def read_features(
    model: PreTrainedModel,
    rows: Sequence[Encoded],
    layers: Sequence[int],
    context_gain: bool,
    pad_id: int,
    batch_tokens: int,
) -> Features:
    """One pass (two with the context gain) over `rows`, in batches of like length; kept on the CPU.

    Raises:
        ArtifactError: the model's own numbers are not finite.
    """
    parts: dict[int, tuple[list[Tensor], list[Tensor], Tensor]] = {}
    free = free_losses(model, rows, pad_id, batch_tokens=batch_tokens) if context_gain else None
    for places in track(length_batches([len(e.ids) for e in rows], batch_tokens=batch_tokens), "read trusted rows"):
        batch = [rows[i] for i in places]
        with _mlp_inputs(model, layers) as states:  # (B, T, H) each
            reading = read(model, batch, pad_id)
        alone = torch.cat([free[i] for i in places]) if free else None
        surprise = surprise_features(reading.loss, reading.entropy, reading.row, alone)
        for b, i in enumerate(places):
            mine = reading.row == b
            t = reading.position[mine]
            now, before = [x[b, t].cpu() for x in states], [x[b, t - 1].cpu() for x in states]
            parts[i] = (now, before, surprise[mine].cpu())
    ordered = [parts[i] for i in range(len(rows))]
    count = torch.tensor([0] + [len(s) for _, _, s in ordered])
    now = [torch.cat([n[k] for n, _, _ in ordered]) for k in range(len(layers))]
    before = [torch.cat([b[k] for _, b, _ in ordered]) for k in range(len(layers))]
    surprise = torch.cat([s for _, _, s in ordered])
    if not surprise.isfinite().all():
        raise ArtifactError(
            "the model gives no finite numbers on trusted rows", "its weights are damaged: save it anew"
        )
    return Features(now, before, surprise, count.cumsum(0))


@contextmanager
def _mlp_inputs(model: PreTrainedModel, layers: Sequence[int]) -> Iterator[list[Tensor]]:
    """A list that the next forward fills with what enters the MLP of each of `layers`, in order."""
    found: list[Tensor] = []
    handles = [mlp_of(model, i).register_forward_hook(lambda mlp, args, out: found.append(args[0])) for i in layers]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
