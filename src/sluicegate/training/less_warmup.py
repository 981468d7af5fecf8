"""The warm-up of LESS (arXiv 2402.04333, section 4): an adapter briefly trained on some of the rows, kept per epoch."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sluicegate.models.encode import Encoded
from sluicegate.models.gradients import BETAS, Moments, trainable
from sluicegate.runtime import seed_everything, track
from sluicegate.training.gates.reference import add_gradient
from sluicegate.training.less_config import LessWarmupConfig

if TYPE_CHECKING:
    from peft import PeftModel


@dataclass(frozen=True)
class Checkpoint:
    """An adapter after an epoch; every tensor by the name of its parameter, on the CPU."""

    weights: dict[str, Tensor]
    moments: Moments
    """What its optimizer knew."""
    learning_rate: float
    """Mean over the steps of the epoch."""


def draw_rows(ids: Collection[str], config: LessWarmupConfig) -> list[str]:
    """The ids of the rows to train on, at least one; which these are hangs on no order."""
    drawn = sorted(ids, key=lambda one: hashlib.sha256(f"{config.seed} {one}".encode()).digest())
    return drawn[: max(1, round(config.share * len(ids)))]


def warm_up(
    model: PeftModel, rows: Sequence[Encoded], config: LessWarmupConfig, pad_id: int, batch_tokens: int
) -> Iterator[Checkpoint]:
    """Train the adapter in place by Adam and give a checkpoint after every epoch.

    Args:
        model: with a fresh adapter.
        rows: with label tokens; a step's loss is the mean over those of its batch.
        batch_tokens: padded tokens per forward and backward pass; a larger batch is taken in parts.
    """
    seed_everything(config.seed)
    parameters = trainable(model)
    optimizer = torch.optim.AdamW(parameters.values(), betas=BETAS, weight_decay=0.0)
    batches = _batches(rows, config)
    rates = [config.learning_rate * (1 - step / len(batches)) for step in range(len(batches))]
    per_epoch = len(batches) // config.epochs
    model.train()
    for step, batch in enumerate(track(batches, "train an adapter for less"), 1):
        optimizer.param_groups[0]["lr"] = rates[step - 1]
        add_gradient(model, batch, pad_id, batch_tokens)
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % per_epoch == 0:
            moments = _moments(parameters, optimizer, step)
            yield Checkpoint(_copied(parameters), moments, math.fsum(rates[step - per_epoch : step]) / per_epoch)
    model.eval()


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint as one safetensors file."""
    from safetensors.torch import save_file

    parts = {"weight": checkpoint.weights, "mean": checkpoint.moments.mean, "square": checkpoint.moments.square}
    tensors = {f"{part}/{name}": t for part, named in parts.items() for name, t in named.items()}
    facts = {"step": str(checkpoint.moments.step), "learning_rate": repr(checkpoint.learning_rate)}
    save_file(tensors, path, metadata=facts)


def load(path: Path) -> Checkpoint:
    """What `save` wrote."""
    from safetensors import safe_open

    found: dict[str, dict[str, Tensor]] = {"weight": {}, "mean": {}, "square": {}}
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        for key in file.keys():  # noqa: SIM118  (it is no mapping)
            part, name = key.split("/", 1)
            found[part][name] = file.get_tensor(key)
    moments = Moments(found["mean"], found["square"], int(facts["step"]))
    return Checkpoint(found["weight"], moments, float(facts["learning_rate"]))


def _batches(rows: Sequence[Encoded], config: LessWarmupConfig) -> list[list[Encoded]]:
    """Those of every epoch, each of which goes through all rows in an order of its own."""
    rng, size = random.Random(config.seed), config.batch_size
    epochs = [rng.sample(rows, len(rows)) for _ in range(config.epochs)]
    return [epoch[i : i + size] for epoch in epochs for i in range(0, len(rows), size)]


def _moments(parameters: dict[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer, step: int) -> Moments:
    held = {name: optimizer.state[p] for name, p in parameters.items()}
    mean, square = (
        {name: h[key].to("cpu", copy=True) for name, h in held.items()} for key in ("exp_avg", "exp_avg_sq")
    )
    return Moments(mean, square, step)


def _copied(parameters: dict[str, torch.nn.Parameter]) -> dict[str, Tensor]:
    return {name: p.detach().to("cpu", copy=True) for name, p in parameters.items()}
