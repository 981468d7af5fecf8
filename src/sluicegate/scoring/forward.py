"""One model's pass over rows: loss, gate score and prompt state of each, from batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sluicegate.models.encode import Encoded, length_batches
from sluicegate.models.gates.base import Gate, Tokens, attach, pooled, token_logits
from sluicegate.models.gates.files import load_gates
from sluicegate.models.gates.surprise import surprise_features
from sluicegate.models.load import Loaded, load_plain
from sluicegate.models.reference import load_reference
from sluicegate.models.surprise import free_losses, read
from sluicegate.scoring.base import Seen
from sluicegate.scoring.passes import Pass

STATE_WIDTH = 128
"""Prompt states wider than this are projected down, at random but always the same way."""


class Reader:
    """A loaded model, with its gates put on where it has any.

    Args:
        gates: by layer number; none for a model no gate reads.
        context_gain: whether those gates were warmed up with a second pass without the prompt.
    """

    def __init__(self, loaded: Loaded, gates: Mapping[int, Gate], context_gain: bool = False) -> None:
        attach(loaded.model, gates)
        self.loaded = loaded
        self.gates = list(gates.values())
        self.context_gain = context_gain

    def see(self, rows: Sequence[Encoded], batch_tokens: int, advance: Callable[[int], None]) -> Seen:
        """Read rows in batches of at most `batch_tokens` padded tokens; results stand in the order of `rows`.

        `advance` is told how many rows each batch had.
        """
        n, width = len(rows), self.loaded.model.config.get_text_config().hidden_size
        loss, gate = torch.full((n,), torch.nan), torch.full((n,), torch.nan)
        state = torch.zeros(n, min(width, STATE_WIDTH))
        where = torch.tensor([i for i, e in enumerate(rows) if e.n_label])
        readable = [e for e in rows if e.n_label]
        free = self._free_losses(readable, batch_tokens)
        for places in length_batches([len(e.ids) for e in readable], batch_tokens=batch_tokens):
            at, alone = where[places], torch.cat([free[i] for i in places]) if free else None
            loss[at], gate[at], state[at] = self._batch([readable[i] for i in places], alone)
            advance(len(places))
        # A rule that clusters by prompt must not stumble over the states of a model that broke down on one row.
        state[~state.isfinite().all(1)] = 0.0
        return Seen(loss.numpy(), gate.numpy() if self.gates else None, state.numpy())

    def _free_losses(self, rows: Sequence[Encoded], batch_tokens: int) -> list[Tensor]:
        """The loss of each row's response tokens without their prompt; nothing where no gate wants it."""
        if not (self.gates and self.context_gain):
            return []
        return free_losses(self.loaded.model, rows, self.loaded.tokenizer.pad_token_id, batch_tokens=batch_tokens)

    @torch.no_grad()
    def _batch(self, batch: list[Encoded], free: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Loss (B,), gate score (B,; NaN without gates) and prompt state (B, P)."""
        n_rows = len(batch)
        reading = read(self.loaded.model, batch, self.loaded.tokenizer.pad_token_id)
        score = torch.full((n_rows,), torch.nan)
        if self.gates:
            surprise = surprise_features(reading.loss, reading.entropy, reading.row, free)
            z = token_logits(self.gates, Tokens(reading.row, reading.position, surprise))  # (L, T)
            score = pooled(self.gates, z, reading.row, n_rows).mean(0)
        return reading.row_loss().cpu(), score.cpu(), narrow(reading.prompt_state).cpu()


def open_reader(step: Pass, base: Path, gate: Path | None, facts: dict[str, Any] | None) -> Reader | None:
    """The model a pass reads: the base or the copy kept in the gate's folder, the gates on it where it is gated.

    Args:
        facts: what the gate's `gate.json` says.
    """
    if step.model == "nothing":
        return None
    tuned = step.model == "tuned"
    loaded = load_plain(base, f"{base.name} (tuned copy)" if tuned else "")
    if gate is None or facts is None:
        return Reader(loaded, {})
    if tuned:
        loaded = replace(loaded, model=load_reference(loaded.model, gate, facts["reference"]))
    return Reader(loaded, load_gates(gate) if step.gated else {}, facts["context_gain"])


def narrow(state: Tensor) -> Tensor:
    """At most `STATE_WIDTH` columns that keep distances (Johnson and Lindenstrauss): (B, H) to (B, P)."""
    width = state.shape[1]
    if width <= STATE_WIDTH:
        return state
    mix = np.random.default_rng(0).standard_normal((width, STATE_WIDTH), dtype=np.float32) / STATE_WIDTH**0.5
    return state @ torch.from_numpy(mix).to(state.device)
