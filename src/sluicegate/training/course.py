"""The course of a tuning: a trainer over rows laid out ahead, from its first step to its last."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from transformers import PrinterCallback, Trainer, TrainerCallback

from sluicegate import runtime
from sluicegate.models import adapters
from sluicegate.models.load import Loaded
from sluicegate.training.devices.strategy import check_surroundings, strategy_arguments, trainer_parts, training_device
from sluicegate.training.kept_configs import kept_configs
from sluicegate.training.saving.checkpoints import Checkpoints
from sluicegate.training.saving.guard import Guard
from sluicegate.training.saving.judged_steps import JudgedSteps
from sluicegate.training.saving.keeper import Keeper
from sluicegate.training.saving.leave import Leave
from sluicegate.training.saving.left_models import LeftModels
from sluicegate.training.saving.resumable import Resumable
from sluicegate.training.saving.rewind import train
from sluicegate.training.tuning_arguments import tuning_arguments
from sluicegate.training.tuning_config import TuningConfig
from sluicegate.training.watching.callbacks import ShowProgress
from sluicegate.training.watching.curve import read_curve, read_evaluations, steps_of
from sluicegate.training.watching.effort import effort
from sluicegate.training.watching.evaluating import Evaluated
from sluicegate.training.watching.pace import Pace
from sluicegate.training.watching.watch import Watch
from sluicegate.training.watching.workload import Workload


class MakeTrainer(Protocol):
    """What each way of tuning knows: its own trainer over its own rows."""

    def __call__(self, arguments: dict[str, Any], parts: tuple[type, ...], callbacks: list[TrainerCallback]) -> Trainer:
        """A trainer of a class that inherits from `parts` first.

        Args:
            arguments: for the class of arguments that the trainer takes.
        """


@dataclass(frozen=True)
class Course:
    """How a tuning went."""

    model: Any
    """The model trained, in evaluation mode; or a `PeftModel` around the base."""
    steps: int
    curve: list[dict[str, float]]
    """step, loss, grad_norm, learning_rate and what else was asked for, at about 20 points."""
    evaluations: list[dict[str, float]]
    """step and the metrics of every time that held-out rows were measured."""
    effort: dict[str, float]
    """What all its steps took."""
    rewinds: list[dict[str, Any]]
    """Each time it went back from a step that went astray: `step`, `loss`, `why`, `back_to` and the new `rate`."""
    left: LeftModels
    """What it was on the way, as far as that is to stay."""

    @property
    def loss(self) -> float:
        """The mean over the last twentieth of the steps."""
        return self.curve[-1]["loss"]

    @property
    def turns(self) -> dict[str, Any]:
        """What is worth a line of how it came to its end: `rewinds` and `best`, where there are any."""
        told = {"rewinds": self.rewinds, "best": self.left.best}
        return {name: value for name, value in told.items() if value}

    @property
    def held_out(self) -> dict[str, float]:
        """`held_out_loss` and the other metrics as they were measured last; nothing where there are no such rows."""
        last = self.evaluations[-1] if self.evaluations else {}
        return {f"held_out_{name}": value for name, value in last.items() if name != "step"}


@dataclass(frozen=True)
class Tuned(Course):
    """A tuned model, how it came about, and of what."""

    mix: dict[str, Any] | None = None
    """What the batches of a sampler were made of, see `realised_mix`."""


def follow(
    make: MakeTrainer,
    loaded: Loaded,
    config: TuningConfig,
    work: Workload,
    out: Path,
    doing: str,
    more: Sequence[str] = (),
    watch: Watch | None = None,
) -> Course:
    """Train to the end; the same seed on the same machine gives the same weights, stopped on the way or not.

    Args:
        loaded: the base, whose configs are left as they came.
        config: its method is settled.
        work: of the optimizer steps of the run.
        out: a folder the trainer may use; it leaves drafts there at most.
        doing: what the user is told, such as `fine-tuning`.
        more: other columns of the curve.
        watch: what it is measured by and where it is written down; None: nothing and nowhere.

    Raises:
        ConfigError: processes cannot share a batch, or not in the way that was asked for.
        SluiceError: the loss is no number any more.
        KeyboardInterrupt: a signal came, and all is saved.
    """
    check_surroundings(config.launch)
    device = training_device(config.launch, loaded.device)
    arguments = {**tuning_arguments(config, device, len(work), out), **strategy_arguments(config.launch)}
    checkpoints, leave = Checkpoints(out, config.checkpoints, len(work)), Leave(doing)
    keeper = Keeper(checkpoints, leave)
    with adapters.without_noise(), kept_configs(loaded.model), runtime.progress(lines=not watch) as display:
        shown = [Pace(device), ShowProgress(display, f"{doing} ({config.method})")]
        watched = watch.callbacks(config, work, more) if watch else []
        parts = (*trainer_parts(config.launch), Evaluated, JudgedSteps, Resumable)
        trainer: Any = make(arguments, parts, [*shown, *watched, keeper])
        if watch:
            watch.equip(trainer)
        trainer.remove_callback(PrinterCallback)
        trainer.processing_class = None  # or it would align the model's config with it, and say so
        trainer.keeper, trainer.guard = keeper, Guard(config.guard)
        with leave if checkpoints.every else nullcontext():
            rewinds = train(trainer, checkpoints, config.guard, doing)
    if leave.agreed:
        step = trainer.state.global_step
        runtime.say(f"  {doing} left off after step {step} of {len(work)}: the same command goes on from there")
        raise KeyboardInterrupt
    history, left = trainer.state.log_history, LeftModels(trainer.model, checkpoints, keeper.best)
    curve = read_curve(history, doing, config, more)
    spent = effort(steps_of(history), work)
    if config.checkpoints.take == "best":
        left.take_best()
    taken = trainer.model.eval()
    return Course(taken, trainer.state.global_step, curve, read_evaluations(history), spent, rewinds, left)
