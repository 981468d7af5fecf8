"""One model's pass over rows: loss, gate score and prompt state of each, from batches of like length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from sluicegate.models.encode import Encoded, length_batches
from sluicegate.models.gates.base import Gate, Tokens, attach, pooled, token_logits
from sluicegate.models.gates.files import load_gates
from sluicegate.models.gates.surprise import surprise_features
from sluicegate.models.load import Loaded, load_plain
from sluicegate.models.reference import load_reference
from sluicegate.models.surprise import Reading, free_losses, read
from sluicegate.scoring.base import Batch, Seen, Signal
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
        self,
        rows: Sequence[Encoded],
        batch_tokens: int,
        advance: Callable[[int], None],
        tokens: bool = False,
        signals: Mapping[str, tuple[Signal, Any]] = MappingProxyType({}),
    ) -> Seen:
        """Read rows in batches of at most `batch_tokens` padded tokens; results stand in the order of `rows`.

        `advance` is told how many rows each batch had. With `tokens` the numbers of every response token are kept.
        Each of `signals`, with its config, observes every batch.
        """
        width = min(self.loaded.model.config.get_text_config().hidden_size, STATE_WIDTH)
        sheet = _Sheet(len(rows), len(self.gates), width, tokens)
        where = torch.tensor([i for i, e in enumerate(rows) if e.n_label])
        readable = [e for e in rows if e.n_label]
        alone = any(signal.reads_alone for signal, _ in signals.values())
        free = self._free_losses(readable, batch_tokens) if alone or self._gates_want_free else []
        for places in length_batches([len(e.ids) for e in readable], batch_tokens=batch_tokens):
            own = torch.cat([free[i] for i in places]) if free else None
            self._see_batch(sheet, where[places], [readable[i] for i in places], own, signals)
            advance(len(places))
        return sheet.seen()

    def _see_batch(
        self,
        sheet: _Sheet,
        at: Tensor,
        rows: list[Encoded],
        free: Tensor | None,
        signals: Mapping[str, tuple[Signal, Any]],
    ) -> None:
        """Take down the rows `at` (B,) of all; their states are gone when it returns."""
        batch = self._read(rows, free)
        sheet.enter(at, batch.reading, *self._judge(batch))
        for name, (signal, config) in signals.items():
            sheet.keep(at, name, signal.observe(batch, config))

    @property
    def _gates_want_free(self) -> bool:
        return bool(self.gates) and self.context_gain

    def _free_losses(self, rows: Sequence[Encoded], batch_tokens: int) -> list[Tensor]:
        """The loss of each row's response tokens without their prompt."""
        return free_losses(self.loaded.model, rows, self.loaded.tokenizer.pad_token_id, batch_tokens=batch_tokens)

    def _read(self, rows: list[Encoded], free: Tensor | None) -> Batch:
        with _final_states(self.loaded.model) as found:
            reading = read(self.loaded.model, rows, self.loaded.tokenizer.pad_token_id)
        return Batch(rows, reading, found[0], free)

    @torch.no_grad()
    def _judge(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The gates' token logits (L, T) and their scores (L, B)."""
        reading, n_rows = batch.reading, len(batch.encoded)
        if not self.gates:
            return torch.empty(0, len(reading.row)), torch.empty(0, n_rows)
        free = batch.free if self.context_gain else None
        surprise = surprise_features(reading.loss, reading.entropy, reading.row, free)
        z = token_logits(self.gates, Tokens(reading.row, reading.position, surprise))  # (L, T)
        return z, pooled(self.gates, z, reading.row, n_rows)


@contextmanager
def _final_states(model: PreTrainedModel) -> Iterator[list[Tensor]]:
    """A list that the next forward fills with what its decoder gives the head: (B, W, H)."""
    found: list[Tensor] = []
    decoder = getattr(model, model.base_model_prefix)
    handle = decoder.register_forward_hook(lambda decoder, args, out: found.append(out.last_hidden_state))
    try:
        yield found
    finally:
        handle.remove()


class _Sheet:
    """What is known so far of N rows."""

    def __init__(self, n_rows: int, n_layers: int, width: int, tokens: bool) -> None:
        self.loss, self.entropy = torch.full((n_rows,), torch.nan), torch.full((n_rows,), torch.nan)
        self.layers = torch.full((n_rows, n_layers), torch.nan)
        self.state = torch.zeros(n_rows, width)
        n_kept = n_rows if tokens else 0
        self.nll = [np.empty(0, np.float16)] * n_kept
        self.logits = [np.empty((n_layers, 0), np.float16)] * n_kept
        self.observed: dict[str, Tensor] = {}

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

    def keep(self, at: Tensor, name: str, observed: Tensor | None) -> None:
        """Take down what a signal observed of the rows `at` (B,) of all: (B, F)."""
        if observed is not None:
            nothing = torch.full((len(self.loss), observed.shape[1]), torch.nan)
            self.observed.setdefault(name, nothing)[at] = observed.float().cpu()

    def seen(self) -> Seen:
        # A rule that clusters by prompt must not stumble over the states of a model that broke down on one row.
        self.state[~self.state.isfinite().all(1)] = 0.0
        layers = self.layers.numpy() if self.layers.shape[1] else None
        gate = None if layers is None else self.layers.mean(1).numpy()
        loss, entropy, state = self.loss.numpy(), self.entropy.numpy(), self.state.numpy()
        observed = {name: values.numpy() for name, values in self.observed.items()}
        return Seen(loss, gate, state, entropy, layers, self.nll, self.logits, observed)


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
