"""Rows of every form, a model with opinions, and their scores computed the slow way, one token at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from sluicegate.config import build
from sluicegate.models.encode import Encoded, Encoder
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.layers import decoder_layers
from sluicegate.models.load import Loaded
from sluicegate.models.surprise import Reading, without_prompt
from sluicegate.schema import Message, Record, make_record
from sluicegate.scoring.base import Batch, Seen, Shard, Signal
from sluicegate.scoring.forward import Reader
from sluicegate.scoring.passes import Pass, fit_signals, shard_for
from sluicegate.testing import tiny_pool


def _record(*turns: str) -> Record:
    """Turns by user and assistant; one alone is a document."""
    roles = ["assistant"] if len(turns) == 1 else ["user", "assistant"] * (len(turns) // 2)
    messages: list[Message] = [{"role": r, "content": c} for r, c in zip(roles, turns, strict=True)]
    return make_record(messages, "test", "en")


@pytest.fixture(scope="session")
def records() -> list[Record]:
    """Questions in two scripts, a talk of two turns, a document, a long row and a short one."""
    talk = _record("How are you?", "Well.", "And she?", "Better, she says, than she ever was.")
    document = _record("Paris is the capital of France.")
    return [*tiny_pool(4), talk, document, _record("Count.", "one two three " * 5), _record("2?", "2")]


def _lively(model: Any) -> Any:
    """Weights so large that every row gets scores of its own; as they are made, all predictions are nearly uniform."""
    torch.manual_seed(3)
    for p in model.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.3)
    return model


@pytest.fixture(params=["Qwen3", "Llama"])
def loaded(request: pytest.FixtureRequest, make_model: Any, make_tokenizer: Any) -> Loaded:
    """A random decoder of two layers that predicts something, and a byte tokenizer with ChatML."""
    tokenizer = make_tokenizer()
    return Loaded(_lively(make_model(request.param, len(tokenizer))), tokenizer)


@pytest.fixture
def encoded(loaded: Loaded, records: list[Record]) -> list[Encoded]:
    return Encoder(loaded.tokenizer).encode_batch(records)


@pytest.fixture
def make_gates() -> Callable[[bool], dict[int, SurpriseGate]]:
    """`make_gates(context_gain)`: random gates on both layers of `loaded`."""

    def make(context_gain: bool) -> dict[int, SurpriseGate]:
        torch.manual_seed(5)
        return {n: SurpriseGate(32, 4, 8 if context_gain else 4) for n in range(2)}

    return make


@pytest.fixture(scope="session")
def make_shard() -> Callable[..., Shard]:
    """`make_shard(n_label, loss=…, gate=…, observed=…, learned=…)`: rows with so many response tokens, and what a pass
    saw of them."""
    import numpy as np

    def make(
        n_label: Sequence[int],
        loss: Sequence[float] = (),
        gate: Sequence[float] = (),
        observed: Sequence[Sequence[float]] | None = None,
        learned: Any = None,
    ) -> Shard:
        records = tiny_pool(len(n_label))
        rows = [
            Encoded(r["id"], [1] * (n + 2), [(2, n + 2)] * (n > 0), 1, 0) for r, n in zip(records, n_label, strict=True)
        ]
        gates = np.array(gate, dtype=np.float32) if gate else None
        seen = Seen(np.array(loss, dtype=np.float32), gates, np.zeros((len(rows), 2), dtype=np.float32))
        kept = None if observed is None else np.array(observed, dtype=np.float32)
        return Shard(records, rows, seen if loss or gate else None, kept, learned)

    return make


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., Batch]:
    """`make_batch(losses, entropies=…, free=…, hidden=…)`: a batch of rows whose response tokens have these numbers.

    Each response stands behind two tokens of prompt.
    """

    def make(
        losses: Sequence[Sequence[float]],
        entropies: Sequence[Sequence[float]] = (),
        free: Sequence[Sequence[float]] = (),
        hidden: Sequence[Sequence[Sequence[float]]] = (),
    ) -> Batch:
        encoded = [Encoded(str(n), [1] * (2 + len(x)), [(2, 2 + len(x))], 1, 0) for n, x in enumerate(losses)]
        row = torch.tensor([n for n, x in enumerate(losses) for _ in x])
        position = torch.tensor([2 + t for x in losses for t in range(len(x))])
        flat = lambda rows: torch.tensor([v for own in rows for v in own])  # noqa: E731
        reading = Reading(row, position, flat(losses), flat(entropies), torch.zeros(len(losses), 1))
        return Batch(encoded, reading, torch.tensor(hidden), flat(free) if free else None)

    return make


@pytest.fixture
def take() -> Callable[..., Shard]:
    """`take(loaded, signal, options, records, trusted, batch_tokens=…)`: a signal's shard, once it has learned."""

    def shard(
        loaded: Loaded,
        signal: type[Signal],
        options: dict[str, Any],
        records: Sequence[Record],
        trusted: Sequence[Record] = (),
        batch_tokens: int = 300,
    ) -> Shard:
        step = Pass(signal.reads, {signal.name: (signal(), build(signal.Config, options))}, gated=False)
        reader, encoder = Reader(loaded, {}), Encoder(loaded.tokenizer)
        learned = fit_signals(step, reader, encoder, trusted, batch_tokens)
        encoded = encoder.encode_batch(records)
        seen = reader.see(encoded, batch_tokens, lambda n: None, False, step.signals)
        return shard_for(signal.name, records, encoded, seen, learned[signal.name])

    return shard


@torch.no_grad()
def _own_loss(model: Any, row: Encoded) -> float:
    return float(model(torch.tensor([row.ids]), labels=torch.tensor([row.labels])).loss)


@torch.no_grad()
def _slow_gate(model: Any, gates: dict[int, SurpriseGate], row: Encoded, context_gain: bool) -> float:
    states: dict[int, torch.Tensor] = {}
    for n in gates:
        hook = lambda mlp, args, n=n: states.update({n: args[0][0]})  # noqa: E731
        decoder_layers(model)[n].mlp.register_forward_pre_hook(hook)
    surprise = _slow_surprise(model, row)
    layers = dict(states)
    if context_gain:
        surprise = _with_gain(surprise, _slow_surprise(model, without_prompt(row)))
    places = [t for start, end in row.spans for t in range(start, end)]
    scores = []
    for n, gate in gates.items():
        z = []
        for t, s in zip(places, surprise, strict=True):
            inner = (
                gate.now @ layers[n][t] + gate.before @ layers[n][t - 1] + gate.surprise @ torch.tensor(s) + gate.bias
            )
            z.append(float(gate.out @ torch.nn.functional.silu(inner) + gate.out_bias))
        scores.append(-math.log(sum(math.exp(-v) for v in z) / len(z)))
    return sum(scores) / len(scores)


def _slow_surprise(model: Any, row: Encoded) -> list[list[float]]:
    """Loss, entropy, their difference and the clipped loss of each response token."""
    log_p = model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
    found = []
    for start, end in row.spans:
        for t in range(start, end):
            loss, entropy = -float(log_p[t - 1, row.ids[t]]), -float((log_p[t - 1].exp() * log_p[t - 1]).sum())
            found.append([loss, entropy, loss - entropy, min(loss, 3.0)])
    return found


def _with_gain(surprise: list[list[float]], free: list[list[float]]) -> list[list[float]]:
    rows, clipped = [], []
    for own, alone in zip(surprise, free, strict=True):
        gain = alone[0] - own[0]
        clipped.append(max(-3.0, min(3.0, gain)))
        rows.append([*own, alone[0], gain, clipped[-1], sum(clipped) / len(clipped)])
    return rows


@pytest.fixture(scope="session")
def own_loss() -> Callable[[Any, Encoded], float]:
    """`own_loss(model, row)`: what the model itself says its loss is."""
    return _own_loss


@pytest.fixture(scope="session")
def slow_gate() -> Callable[..., float]:
    """`slow_gate(model, gates, row, context_gain)`: the definition of a gate's score, written out."""
    return _slow_gate


@pytest.fixture(scope="session")
def unlabelled() -> Callable[[Encoded], Encoded]:
    """The row cut so short that nothing of its response is left."""
    return lambda row: replace(row, ids=row.ids[:3], spans=[], truncated=len(row.ids) - 3)
