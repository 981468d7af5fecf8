"""The course of a tuning: a trainer over rows laid out ahead, from its first step to its last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from transformers import PrinterCallback, Trainer, TrainerCallback

from sluicegate import runtime
from sluicegate.models import adapters
from sluicegate.models.load import Loaded
from sluicegate.training.callbacks import ShowProgress
from sluicegate.training.curve import read_curve
from sluicegate.training.kept_configs import kept_configs
from sluicegate.training.tuning_arguments import tuning_arguments
from sluicegate.training.tuning_config import TuningConfig


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


def follow(
    make: MakeTrainer,
    loaded: Loaded,
    config: TuningConfig,
    steps: int,
    out: Path,
    doing: str,
    more: Sequence[str] = (),
) -> Course:
    """Train to the end; the same seed on the same machine gives the same weights.

    Args:
        loaded: the base, whose configs are left as they came.
        config: its method is settled.
        steps: optimizer steps of the run.
        out: a folder the trainer may use; it leaves nothing there.
        doing: what the user is told, such as `fine-tuning`.
        more: other columns of the curve.

    Raises:
        ConfigError: processes cannot share a batch.
        SluiceError: the loss is no number any more.
    """
    arguments = tuning_arguments(config, loaded.device, steps, out)
    with adapters.without_noise(), kept_configs(loaded.model), runtime.progress() as display:
        trainer = make(arguments, (), [ShowProgress(display, f"{doing} ({config.method})")])
        trainer.remove_callback(PrinterCallback)
        trainer.processing_class = None  # or it would align the model's config with it, and say so
        trainer.train()
    curve = read_curve(trainer.state.log_history, doing, config, more)
    model: Any = trainer.model
    return Course(model.eval(), trainer.state.global_step, curve)
