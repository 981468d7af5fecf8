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
from sluicegate.models.surprise import Reading, free_losses, read
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

    def see(
        self, rows: Sequence[Encoded], batch_tokens: int, advance: Callable[[int], None], tokens: bool = False
    ) -> Seen:
        """Read rows in batches of at most `batch_tokens` padded tokens; results stand in the order of `rows`.

        `advance` is told how many rows each batch had. With `tokens` the numbers of every response token are kept.
        """
        width = min(self.loaded.model.config.get_text_config().hidden_size, STATE_WIDTH)
        sheet = _Sheet(len(rows), len(self.gates), width, tokens)
        where = torch.tensor([i for i, e in enumerate(rows) if e.n_label])
        readable = [e for e in rows if e.n_label]
        free = self._free_losses(readable, batch_tokens)
        for places in length_batches([len(e.ids) for e in readable], batch_tokens=batch_tokens):
            alone = torch.cat([free[i] for i in places]) if free else None
            sheet.enter(where[places], *self._read([readable[i] for i in places], alone))
            advance(len(places))
        return sheet.seen()

    def _free_losses(self, rows: Sequence[Encoded], batch_tokens: int) -> list[Tensor]:
        """The loss of each row's response tokens without their prompt; nothing where no gate wants it."""
        if not (self.gates and self.context_gain):
            return []
        return free_losses(self.loaded.model, rows, self.loaded.tokenizer.pad_token_id, batch_tokens=batch_tokens)

    @torch.no_grad()
    def _read(self, batch: list[Encoded], free: Tensor | None) -> tuple[Reading, Tensor, Tensor]:
        """The model's reading, the gates' token logits (L, T) and their scores (L, B)."""
        reading = read(self.loaded.model, batch, self.loaded.tokenizer.pad_token_id)
        if not self.gates:
            return reading, torch.empty(0, len(reading.row)), torch.empty(0, len(batch))
        surprise = surprise_features(reading.loss, reading.entropy, reading.row, free)
        z = token_logits(self.gates, Tokens(reading.row, reading.position, surprise))  # (L, T)
        return reading, z, pooled(self.gates, z, reading.row, len(batch))


class _Sheet:
    """What is known so far of N rows."""

    def __init__(self, n_rows: int, n_layers: int, width: int, tokens: bool) -> None:
        self.loss, self.entropy = torch.full((n_rows,), torch.nan), torch.full((n_rows,), torch.nan)
        self.layers = torch.full((n_rows, n_layers), torch.nan)
        self.state = torch.zeros(n_rows, width)
        n_kept = n_rows if tokens else 0
        self.nll = [np.empty(0, np.float16)] * n_kept
        self.logits = [np.empty((n_layers, 0), np.float16)] * n_kept

    def enter(self, at: Tensor, reading: Reading, z: Tensor, layers: Tensor) -> None:
        """Take down a batch whose rows are the rows `at` (B,) of all."""
        n_tokens = torch.bincount(reading.row, minlength=len(at))
        self.loss[at] = _row_mean(reading.loss, reading.row, n_tokens).cpu()
        self.entropy[at] = _row_mean(reading.entropy, reading.row, n_tokens).cpu()
        self.layers[at] = layers.T.cpu()
        self.state[at] = narrow(reading.prompt_state).cpu()
        if self.nll:
            self._enter_tokens(at.tolist(), reading.loss.half().cpu(), z.half().cpu(), n_tokens.tolist())

    def _enter_tokens(self, at: list[int], nll: Tensor, z: Tensor, n_tokens: list[int]) -> None:
        for i, own, logits in zip(at, nll.split(n_tokens), z.split(n_tokens, dim=1), strict=True):
            self.nll[i], self.logits[i] = own.numpy(), logits.numpy()

    def seen(self) -> Seen:
        # A rule that clusters by prompt must not stumble over the states of a model that broke down on one row.
        self.state[~self.state.isfinite().all(1)] = 0.0
        layers = self.layers.numpy() if self.layers.shape[1] else None
        gate = None if layers is None else self.layers.mean(1).numpy()
        loss, entropy, state = self.loss.numpy(), self.entropy.numpy(), self.state.numpy()
        return Seen(loss, gate, state, entropy, layers, self.nll, self.logits)


def _row_mean(values: Tensor, row: Tensor, n_tokens: Tensor) -> Tensor:
    """The mean of each row's values: (T,) to (B,)."""
    return torch.zeros(len(n_tokens), device=values.device).index_add(0, row, values) / n_tokens


def open_reader(step: Pass, base: Path, gate: Path | None, facts: Mapping[str, Any] | None) -> Reader | None:
    """The model a pass reads: the base or the copy kept in the gate's folder, the gates on it where it is gated.

    Args:
        facts: what the gate's `gate.json` says.
    """
    if step.model == "nothing":
        return None
    copy = facts["reference"] if facts and step.model in ("tuned", "gate") else None
    loaded = load_plain(base, f"{base.name} (tuned copy)" if copy else "")
    if gate is None or facts is None:
        return Reader(loaded, {})
    if copy:
        loaded = replace(loaded, model=load_reference(loaded.model, gate, copy))
    return Reader(loaded, load_gates(gate) if step.gated else {}, facts["context_gain"])


def narrow(state: Tensor) -> Tensor:
    """At most `STATE_WIDTH` columns that keep distances (Johnson and Lindenstrauss): (B, H) to (B, P)."""
    width = state.shape[1]
    if width <= STATE_WIDTH:
        return state
    mix = np.random.default_rng(0).standard_normal((width, STATE_WIDTH), dtype=np.float32) / STATE_WIDTH**0.5
    return state @ torch.from_numpy(mix).to(state.device)
