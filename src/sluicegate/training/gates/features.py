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
    """The T response tokens of B rows, rows one after the other; on the CPU, in the model's dtype."""

    states: list[Tensor]
    """Per gated layer (S, H): the normalised state entering the MLP, at every response token and at the one before each
    response. States are nearly all of it, so none is kept twice."""
    now: Tensor
    """(T,) where in `states` a token's state stands; that of the token before it stands one place earlier."""
    surprise: Tensor
    """(T, S)"""
    start: Tensor
    """(B + 1,) where each row's tokens begin; the last entry is T."""
    device: torch.device
    """Of the model: where gates learn fastest."""

    def tokens(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Token indices of some rows, and for each the place of its row in `rows`: two of (t,)."""
        index = torch.cat([torch.arange(int(self.start[r]), int(self.start[r + 1])) for r in rows.tolist()])
        count = self.start[rows + 1] - self.start[rows]
        return index, torch.repeat_interleave(torch.arange(len(rows)), count)


@dataclass(frozen=True)
class _Row:
    """One row's part of `Features`; `now` counts from its own first state."""

    states: list[Tensor]
    now: Tensor
    surprise: Tensor


def read_features(
    model: PreTrainedModel,
    rows: Sequence[Encoded],
    layers: Sequence[int],
    context_gain: bool,
    pad_id: int,
    batch_tokens: int,
) -> Features:
    """One pass (two with the context gain) over `rows`, in batches of like length.

    Raises:
        ArtifactError: the model's own numbers are not finite.
    """
    parts: dict[int, _Row] = {}
    free = free_losses(model, rows, pad_id, batch_tokens=batch_tokens) if context_gain else None
    for places in track(length_batches([len(e.ids) for e in rows], batch_tokens=batch_tokens), "read trusted rows"):
        with _mlp_inputs(model, layers) as states:  # (B, T, H) each
            reading = read(model, [rows[i] for i in places], pad_id)
        alone = torch.cat([free[i] for i in places]) if free else None
        surprise = surprise_features(reading.loss, reading.entropy, reading.row, alone).cpu()
        row, position = reading.row.cpu(), reading.position.cpu()
        for b, i in enumerate(places):
            mine = row == b
            parts[i] = _row([x[b] for x in states], position[mine], surprise[mine])
    return _joined([parts.pop(i) for i in range(len(rows))], next(model.parameters()).device)


def _row(states: Sequence[Tensor], position: Tensor, surprise: Tensor) -> _Row:
    """What is kept of a row with states (T, H) per layer and response tokens at `position` (t,)."""
    kept = torch.cat([position - 1, position]).unique()  # sorted, so the one before stands right before
    return _Row([x[kept.to(x.device)].cpu() for x in states], torch.searchsorted(kept, position), surprise)


def _joined(rows: Sequence[_Row], device: torch.device) -> Features:
    surprise = torch.cat([row.surprise for row in rows])
    if not surprise.isfinite().all():
        raise ArtifactError(
            "the model gives no finite numbers on trusted rows", "its weights are damaged: save it anew"
        )
    begin = torch.tensor([0] + [len(row.states[0]) for row in rows]).cumsum(0).tolist()
    now = torch.cat([row.now + at for row, at in zip(rows, begin, strict=False)])
    start = torch.tensor([0] + [len(row.now) for row in rows]).cumsum(0)
    # Layer by layer, the last first: each lets go of its rows' parts before the next is put together.
    states = [torch.cat([row.states.pop() for row in rows]) for _ in range(len(rows[0].states))]
    return Features(states[::-1], now, surprise, start, device)


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
