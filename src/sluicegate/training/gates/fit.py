"""Fit gates to cached features: all layers learn together, each from its own pooled logit (deep supervision)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.models.gates.surprise import SurpriseGate, soft_min
from sluicegate.runtime import seed_everything, track
from sluicegate.training.gates.features import Features
from sluicegate.training.gates.warmup_config import WarmupConfig

EPOCHS, LEARNING_RATE = 20, 5e-3
"""Where the config leaves them open."""
EPSILON = 1e-3


def fit(features: Features, good: Tensor, rows: Tensor, config: WarmupConfig) -> list[SurpriseGate]:
    """One gate per gated layer, from `rows` (b,) alone; the standardisation of its input is folded in.

    Args:
        good: (B,) which rows of `features` are undamaged.
    """
    seed_everything(config.seed)
    scales = _Scales.of(features, rows)
    width, n_surprise = features.states[0].shape[1], features.surprise.shape[1]
    gates = [SurpriseGate(width, config.rank, n_surprise).to(features.device) for _ in features.states]
    rate = config.learning_rate or LEARNING_RATE
    parameters = [p for gate in gates for p in gate.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=config.weight_decay)
    weight = torch.where(good, config.positive_weight, 1.0)
    batches = list(_batches(rows, config))
    for step, batch in enumerate(track(batches, "fit the gate")):
        optimizer.param_groups[0]["lr"] = rate * (1 - step / len(batches))
        logits = row_logits(gates, features, batch, scales)  # (L, b)
        target, weights = (x[batch].to(logits).expand_as(logits) for x in (good, weight))
        F.binary_cross_entropy_with_logits(logits, target, weight=weights).backward()
        optimizer.step()
        optimizer.zero_grad()
    for gate, scale in zip(gates, scales.states, strict=True):
        gate.fold(scale, scales.surprise)
    return gates


@torch.no_grad()
def score(gates: Sequence[SurpriseGate], features: Features, rows: Tensor, batch_size: int) -> Tensor:
    """What gates make of some rows, as the `gate` signal tells it: (b,)."""
    return torch.cat([row_logits(gates, features, batch).mean(0).cpu() for batch in rows.split(batch_size)])


def row_logits(
    gates: Sequence[SurpriseGate], features: Features, rows: Tensor, scales: _Scales | None = None
) -> Tensor:
    """Every layer's pooled logit of some rows: (L, b).

    Args:
        scales: what to standardise the input by; None for gates that have it folded in.
    """
    index, row = features.tokens(rows)
    now, row = features.now[index], row.to(features.device)
    surprise = features.surprise[index].to(features.device)
    surprise = _scaled(surprise, scales.surprise) if scales else surprise
    pooled = []
    for layer, (gate, states) in enumerate(zip(gates, features.states, strict=True)):
        x, before = (states[at].to(features.device).float() for at in (now, now - 1))  # 2 × (t, H)
        if scales:
            x, before = (_scaled(state, scales.states[layer]) for state in (x, before))
        z = gate.logits(x @ gate.now.T, before @ gate.before.T, surprise)  # (t,)
        pooled.append(soft_min(z, row, len(rows)))
    return torch.stack(pooled)


@dataclass(frozen=True)
class _Scales:
    """(mean, deviation) of every coordinate over the tokens a gate learns from."""

    states: list[tuple[Tensor, Tensor]]
    """Per gated layer."""
    surprise: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, features: Features, rows: Tensor) -> _Scales:
        index, _ = features.tokens(rows)
        states = [_scale(x[features.now[index]], features.device) for x in features.states]
        return cls(states, _scale(features.surprise[index], features.device))


def _scaled(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    """Standardised by (mean, deviation)."""
    mean, deviation = scale
    return (x - mean) / deviation


def _scale(x: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    x = x.float()
    return x.mean(0).to(device), (x.std(0) + EPSILON).to(device)


def _batches(rows: Tensor, config: WarmupConfig) -> Iterator[Tensor]:
    rng = random.Random(config.seed)
    order = rows.tolist()
    for _ in range(config.epochs or EPOCHS):
        rng.shuffle(order)
        for at in range(0, len(order), config.batch_size):
            yield torch.tensor(order[at : at + config.batch_size])
