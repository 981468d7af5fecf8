"""Pretraining from scratch: a loop short enough to hold in the head.

Documents are packed end to end into rows without padding, and a killed run goes on from its last checkpoint to the very
bytes the uninterrupted one would have written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Optimizer
from transformers import PreTrainedModel

from sluicegate.errors import ConfigError, DataError
from sluicegate.runtime import pick_device, say, track
from sluicegate.training import optimizer
from sluicegate.training.checkpoint import load_checkpoint, save_checkpoint
from sluicegate.training.schedule import Schedule


def pretrain(model: PreTrainedModel, documents: Sequence[Tensor], schedule: Schedule, checkpoint: Path) -> Tensor:
    """Train `model` in place on documents of token ids, each with its end token; returns every step's loss (steps,).

    The run goes on from `checkpoint` if that file is there, and leaves its last one there.

    Raises:
        DataError: the documents do not fill one batch.
        ConfigError: the loss is no longer a number.
    """
    if schedule.threads:
        torch.set_num_threads(schedule.threads)
    model.to(pick_device()).train()  # type: ignore[arg-type]  # transformers' wrapper hides the signature of `to`
    optimizers = optimizer.make_optimizers(model, schedule)
    losses = torch.zeros(schedule.steps, device=model.device)
    start = load_checkpoint(checkpoint, model, optimizers, losses)
    if start:
        say(f"  going on from step {start} of {schedule.steps}")
    stream = enumerate(batches(documents, schedule, start), start)
    for step, rows in track(stream, "pretraining", total=schedule.steps - start):
        losses[step] = train_step(model, optimizers, rows.to(model.device), schedule, step)
        if (step + 1) % schedule.checkpoint_every == 0:
            _check_finite(losses[: step + 1])
            save_checkpoint(checkpoint, model, optimizers, losses, step + 1)
    _check_finite(losses)
    model.eval()
    return losses.cpu()


def train_step(
    model: PreTrainedModel, optimizers: list[Optimizer], rows: Tensor, schedule: Schedule, step: int
) -> Tensor:
    """One optimizer step on rows (B, T + 1); returns the mean loss in nats per token, still on the model's device."""
    optimizer.set_rate(optimizers, schedule.rate(step))
    logits = model(input_ids=rows[:, :-1]).logits  # (B, T, V)
    loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.max_grad_norm)
    optimizer.step(optimizers)
    return loss.detach()


def batches(documents: Sequence[Tensor], schedule: Schedule, start: int = 0) -> Iterator[Tensor]:
    """Batches (B, T + 1) of steps `start` and after; a step's number alone decides what its batch holds."""
    width, size = schedule.row_tokens + 1, schedule.batch_rows
    tokens = sum(map(len, documents))
    per_epoch = tokens // width // size
    if per_epoch == 0:
        raise DataError(
            f"the documents hold {tokens} tokens, and one batch takes {width * size}",
            "give more documents, or lower batch_rows or row_tokens",
        )
    for step in range(start, schedule.steps):
        epoch, place = divmod(step, per_epoch)
        if step == start or place == 0:
            rows = pack(documents, width, f"{schedule.seed}/{epoch}")
        yield rows[place * size : (place + 1) * size]


def pack(documents: Sequence[Tensor], width: int, seed: str) -> Tensor:
    """The documents in a random order, end to end, cut into full rows (N, width); what is left over waits its turn."""
    order = list(range(len(documents)))
    random.Random(seed).shuffle(order)
    stream = torch.cat([documents[i] for i in order])
    return stream[: len(stream) // width * width].view(-1, width).long()


def _check_finite(losses: Tensor) -> None:
    if not losses.isfinite().all():
        step = int(losses.isfinite().logical_not().nonzero()[0])
        raise ConfigError(f"the loss stopped being a number at step {step}", "lower learning_rate")
