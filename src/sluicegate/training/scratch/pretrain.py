"""Training from scratch: one loop, short enough to hold in the head, for any objective of `objectives`.

A run that was killed goes on from its last checkpoint to the very bytes the uninterrupted one would have written: a
batch, a learning rate and the random numbers of a step hang on its number alone. Under torchrun each process takes its
rows of every batch (plain DistributedDataParallel), and the first writes.
"""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.amp import GradScaler
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from transformers import PreTrainedModel

from sluicegate.errors import ConfigError
from sluicegate.runtime import pick_device, rank, say, track, world_size
from sluicegate.training.scratch.checkpoint import load_checkpoint, save_checkpoint
from sluicegate.training.scratch.compiling import compiled
from sluicegate.training.scratch.diary import Diary
from sluicegate.training.scratch.objectives import Batch, Objective
from sluicegate.training.scratch.optimizer import make_optimizers, set_rate
from sluicegate.training.scratch.precision import pick_dtype
from sluicegate.training.scratch.processes import check_shares, joined, over_all
from sluicegate.training.scratch.schedule import Schedule
from sluicegate.training.scratch.speed import Speed


class Data(Protocol):
    """What a run trains on."""

    def batch(self, step: int) -> Batch:
        """The whole batch of the 0-based `step`, of all processes together, always the same."""


@dataclass(frozen=True)
class Course:
    """How a run went, in the objective's mean over its terms."""

    losses: Tensor
    """Of every step (steps,)."""
    held_out: Tensor
    """On what is held out, after every step (steps,); NaN where it was not measured."""


def train(
    model: PreTrainedModel,
    objective: Objective,
    data: Data,
    schedule: Schedule,
    checkpoint: Path,
    held_out: Batch | None = None,
    events: Path | None = None,
) -> Course:
    """Train `model` in place; all processes of a torchrun call it together.

    The run goes on from the file `checkpoint` if it is there, and leaves its last one there.

    Args:
        held_out: rows the loss is measured on.
        events: a folder for TensorBoard.

    Raises:
        ConfigError: the device has no such dtype or cannot compile, processes cannot share a batch, or the loss is no
            longer a number.
    """
    if schedule.threads:
        torch.set_num_threads(schedule.threads)
    with joined(pick_device()):
        course = _course(Run(model, objective, schedule), data, checkpoint, held_out, events)
    model.eval()
    return course


def _course(run: Run, data: Data, checkpoint: Path, held_out: Batch | None, events: Path | None) -> Course:
    """The loop."""
    schedule = run.schedule
    start = load_checkpoint(checkpoint, run.model, run.optimizers, run.scaler, run.losses)
    if start:
        say(f"  going on from step {start} of {schedule.steps}")
    with Diary(events, start) as diary:
        for step in track(range(start, schedule.steps), "training"):
            run.step(data.batch(step), step)
            run.tell(step, held_out, diary)
            if (step + 1) % schedule.checkpoint_every == 0:
                run.check(step)
                run.save(checkpoint, step)
    run.check(schedule.steps - 1)
    return Course(run.losses["train"].cpu(), run.losses["held_out"].cpu())


class Run:
    """A model on its way through a schedule."""

    def __init__(self, model: PreTrainedModel, objective: Objective, schedule: Schedule) -> None:
        check_shares(schedule.batch_rows)
        self.device = torch.device(pick_device())
        self.model: Any = model.to(self.device).train()  # type: ignore[arg-type]  # transformers hides `to`'s signature
        self.objective, self.schedule, self.dtype = objective, schedule, pick_dtype(schedule.dtype, self.device)
        self.forward: Any = compiled(model) if schedule.compile else model
        self.ready: Any = DistributedDataParallel(self.forward) if world_size() > 1 else self.forward
        self.optimizers = make_optimizers(model, schedule)
        self.scaler = GradScaler(self.device.type, enabled=self.dtype is torch.float16)
        self.speed = Speed(model, schedule.row_tokens)
        nothing = torch.full((schedule.steps,), torch.nan, device=self.device)
        self.losses = {"train": nothing, "held_out": nothing.clone()}
        self.norm = torch.zeros(())

    def step(self, batch: Batch, step: int) -> None:
        """One optimizer step: the gradient of the mean over all terms of the batch, in as many passes as it takes."""
        torch.manual_seed(random.Random(f"{self.schedule.seed}/{rank()}/{step}").getrandbits(63))
        set_rate(self.optimizers, self.schedule.rate(step))
        terms, loss = batch["terms"].sum().to(self.device), torch.zeros((), device=self.device)
        passes = self._passes(batch)
        for n, rows in enumerate(passes, start=1):
            with self._alone(until=n == len(passes)), self._autocast():
                part = self.objective(self.ready, rows) / terms
            self.scaler.scale(part * world_size()).backward()  # processes take the mean of their gradients
            loss += part.detach()
        self._update()
        self.losses["train"][step] = over_all(loss)
        self.speed.count(batch["input_ids"].numel())

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> Tensor:
        """The loss of a batch, without dropout."""
        self.model.eval()
        with self._autocast():
            found = [self.objective(self.forward, rows) for rows in self._passes(batch)]
        self.model.train()
        return over_all(torch.stack(found).sum() / batch["terms"].sum().to(self.device))

    def tell(self, step: int, held_out: Batch | None, diary: Diary) -> None:
        """What is due after a step: the loss on what is held out, a line of the log."""
        done, schedule = step + 1, self.schedule
        if held_out is not None and (done % schedule.evaluate_every == 0 or done == schedule.steps):
            self.losses["held_out"][step] = self.evaluate(held_out)
            diary.tell(done, held_out_loss=self.losses["held_out"][step].item())
        if done % schedule.log_every == 0:
            numbers = {"loss": self.losses["train"][step].item(), "gradient_norm": self.norm.item()}
            diary.tell(done, **numbers, learning_rate=schedule.rate(step), **self.speed.take())

    def check(self, step: int) -> None:
        """Raise `ConfigError` where the loss stopped being a number at this step or before."""
        lost = self.losses["train"][: step + 1].isfinite().logical_not()
        if lost.any():
            raise ConfigError(
                f"the loss stopped being a number at step {int(lost.nonzero()[0])}", "lower learning_rate"
            )

    def save(self, checkpoint: Path, step: int) -> None:
        """Where the run stands after a step; the first process writes it."""
        if rank() == 0:
            save_checkpoint(checkpoint, self.model, self.optimizers, self.scaler, self.losses, step + 1)

    def _passes(self, batch: Batch) -> list[Batch]:
        """This process's rows of a batch, as many at a time as go through the model together."""
        own = {name: tensor[rank() :: world_size()] for name, tensor in batch.items()}
        size = self.schedule.device_rows or max(1, len(own["terms"]))
        firsts = range(0, len(own["terms"]), size)
        return [{k: v[first : first + size].to(self.device) for k, v in own.items()} for first in firsts]

    def _update(self) -> None:
        """Move every parameter along its gradient, and forget the gradients."""
        for optimizer in self.optimizers:
            self.scaler.unscale_(optimizer)
        self.norm = clip_grad_norm_(self.model.parameters(), self.schedule.max_grad_norm)
        for optimizer in self.optimizers:
            self.scaler.step(optimizer)
            optimizer.zero_grad()
        self.scaler.update()

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not torch.float32)

    def _alone(self, until: bool) -> AbstractContextManager[Any]:
        """Gradients of all passes but the last are added up here before the processes share them."""
        return nullcontext() if until or world_size() == 1 else self.ready.no_sync()
