"""A copy of the base, briefly tuned on half of the trusted rows: a model that has seen what good data looks like.

Gates read this copy instead of the base, and only where the other half, which it never saw, got clearly likelier.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sluicegate.models import adapters
from sluicegate.models.encode import Encoded, collate, length_batches
from sluicegate.models.meter import Meter
from sluicegate.models.reference import FOLDER
from sluicegate.models.surprise import read
from sluicegate.runtime import say, seed_everything, track
from sluicegate.training.gates.warmup_config import ReferenceConfig, WarmupConfig

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SMALL = 20_000_000
"""Parameters below which an adapter saves nothing and `auto` tunes the whole copy."""
LORA = adapters.LoraSettings(rank=8, alpha=16)
CLEAR_FALL = 0.05
"""The share by which held-out trusted loss must fall for the copy to be kept."""


@dataclass(frozen=True)
class Reference:
    """A tuned copy that was kept, and how it came to be."""

    model: PreTrainedModel
    """A plain causal LM; a LoRA is merged in."""
    facts: dict[str, Any]


def tune_reference(
    model: PreTrainedModel,
    tune: Sequence[Encoded],
    held_out: Sequence[Encoded],
    config: WarmupConfig,
    pad_id: int,
    out: Path,
) -> Reference | None:
    """Tune `model` in place and save it under `out`; None, and the model as it was, where nothing was gained."""
    if config.reference.method == "off":
        return None
    method = _method(model, config.reference)
    learning_rate = config.reference.learning_rate or _learning_rate(model, method)
    seed_everything(config.seed)
    meter = Meter()
    meter.watch(model)
    tuned: Any = adapters.attach(model, LORA) if method == "lora" else model
    course = _tune(tuned, tune, held_out, config, learning_rate, pad_id)
    before, step = course.losses[0], min(course.losses, key=lambda s: course.losses[s])
    after = course.losses[step]
    kept = after <= (1 - CLEAR_FALL) * before
    told = "kept" if kept else "not clearly lower: the gate reads the base"
    say(f"  reference copy ({method}): held-out trusted loss {before:.3f} to {after:.3f} after {step} steps, {told}")
    tuned.load_state_dict(course.best if kept else course.first, strict=False)
    tuned.eval()
    if not kept:
        if method == "lora":
            tuned.unload()
        return None
    facts = {
        "method": method,
        "steps": step,
        "learning_rate": learning_rate,
        "loss_before": before,
        "loss_after": after,
        "forward_tokens": meter.take().told()["forward_tokens"],
    }
    return Reference(_save(tuned, method, out / FOLDER), facts)


@dataclass
class _Course:
    """How a tuning went."""

    losses: dict[int, float]
    """Step to held-out trusted loss; step 0 is the base."""
    first: dict[str, Tensor]
    """The trainable parameters as they began, on the CPU."""
    best: dict[str, Tensor]
    """The same at the lowest held-out loss."""


def _method(model: PreTrainedModel, config: ReferenceConfig) -> str:
    if config.method != "auto":
        return config.method
    return "full" if sum(p.numel() for p in model.parameters()) < SMALL else "lora"


def _learning_rate(model: PreTrainedModel, method: str) -> float:
    """What worked at width 96, falling as one over the width, as Adam's best rate does."""
    return (1e-2 if method == "lora" else 1e-3) * 96 / model.config.get_text_config().hidden_size


def _tune(
    model: Any,
    tune: Sequence[Encoded],
    held_out: Sequence[Encoded],
    config: WarmupConfig,
    learning_rate: float,
    pad_id: int,
) -> _Course:
    rng, ask = random.Random(config.seed), config.reference
    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(trainable.values(), lr=learning_rate, weight_decay=0.0)
    first = _copied(trainable)
    course = _Course({0: mean_loss(model, held_out, pad_id, config.read_batch_tokens)}, first, first)
    for step in track(range(1, ask.steps + 1), "tune the reference copy"):
        batch = [rng.choice(tune) for _ in range(ask.batch_size)]
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - (step - 1) / ask.steps)
        add_gradient(model, batch, pad_id, ask.batch_tokens)
        torch.nn.utils.clip_grad_norm_(trainable.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % ask.check_every == 0:
            loss = mean_loss(model, held_out, pad_id, config.read_batch_tokens)
            course.best = _copied(trainable) if loss < min(course.losses.values()) else course.best
            course.losses[step] = loss
    return course


def _copied(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, for the model itself and its optimizer fill the device."""
    return {name: p.detach().to("cpu", copy=True) for name, p in parameters.items()}


def add_gradient(model: Any, batch: Sequence[Encoded], pad_id: int, batch_tokens: int) -> None:
    """Add the gradient of the mean loss over the label tokens, at most `batch_tokens` padded tokens at a time."""
    device = next(model.parameters()).device
    total = sum(e.n_label for e in batch)
    for places in length_batches([len(e.ids) for e in batch], batch_tokens=batch_tokens):
        part = [batch[i] for i in places]
        loss = model(**{k: v.to(device) for k, v in collate(part, pad_id).items()}, use_cache=False).loss
        (loss * sum(e.n_label for e in part) / total).backward()


def mean_loss(model: Any, rows: Sequence[Encoded], pad_id: int, batch_tokens: int) -> float:
    """Mean over rows of the mean loss of their response tokens, in nats."""
    plain = model.get_base_model() if hasattr(model, "peft_config") else model
    model.eval()
    batches = length_batches([len(e.ids) for e in rows], batch_tokens=batch_tokens)
    means = [read(plain, [rows[i] for i in places], pad_id).row_loss() for places in batches]
    model.train()
    return float(torch.cat(means).mean())


def _save(tuned: Any, method: str, folder: Path) -> PreTrainedModel:
    """Write the copy (or only its adapter) and return it as a plain model."""
    if method == "full":
        tuned.save_pretrained(folder)
        return tuned
    adapters.write_adapter(tuned, folder, named="")  # the gate's manifest names the base
    return tuned.merge_and_unload()
