"""The evaluations inside a training: every few steps, and after the last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from transformers import Trainer, TrainerCallback

from sluicegate import runtime
from sluicegate.models.encode import length_batches
from sluicegate.training.watching.held_out_metrics import LOGGED
from sluicegate.training.watching.step_lines import StepLines
from sluicegate.training.watching.undisturbed import undisturbed


class HeldOut(Protocol):
    """What a model is measured by that it is not trained on."""

    def measure(self, trainer: Any) -> dict[str, float]:
        """The metrics of the model as it is; every process calls it, and gets the same."""

    def answer(self, model: Any) -> list[dict[str, Any]]:
        """What the model says to a few prompts, a line for each."""


class Evaluated:
    """For the class of a Trainer to inherit from first: it evaluates in our way, and nothing of it is disturbed."""

    held_out: HeldOut
    answers: StepLines

    def evaluate(self: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Measure, log and tell the callbacks, as a Trainer does."""
        with undisturbed(self.model):
            found = self.held_out.measure(self)
            replies = self.held_out.answer(self.model)
        metrics = {LOGGED + name: value for name, value in found.items()}
        Trainer.log(self, dict(metrics))  # trl's own would add what it has gathered of the steps, and forget it
        if runtime.rank() == 0:
            for reply in replies:
                self.answers.append({"step": self.state.global_step, **reply})
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class EvaluateEvery(TrainerCallback):
    """Has the Trainer evaluate when it is time."""

    def __init__(self, every: int, answers: StepLines) -> None:
        self.every, self.answers = every, answers

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """It begins, or goes on from a checkpoint."""
        if runtime.rank() == 0:
            self.answers.keep(lambda line: line["step"] <= state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step is done."""
        if state.global_step % self.every == 0 or state.global_step == state.max_steps:
            control.should_evaluate = True


def own_batches(lengths: Sequence[int], batch_size: int) -> Iterator[tuple[list[int], bool]]:
    """The batches of this process, and whether each counts: all go through as many, for they may share the model, and
    one that has none left repeats the last."""
    batches = length_batches(lengths, batch_size=batch_size)
    for first in range(0, len(batches), runtime.world_size()):
        place = first + runtime.rank()
        yield batches[min(place, len(batches) - 1)], place < len(batches)


def over_processes(sums: np.ndarray) -> np.ndarray:
    """Their sum over all processes."""
    from accelerate.utils import gather_object

    return np.sum(gather_object([sums]), axis=0)
