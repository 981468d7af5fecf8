"""What accompanies a training: evaluations, early stopping, and what is told on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sluicegate.training.tuning_config import TuningConfig
from sluicegate.training.watching.early_stopping import StopEarly
from sluicegate.training.watching.evaluating import Evaluated, EvaluateEvery, HeldOut
from sluicegate.training.watching.journal import Journal
from sluicegate.training.watching.questions import ANSWERS
from sluicegate.training.watching.step_lines import StepLines
from sluicegate.training.watching.workload import Workload

LINES, EVALUATIONS = 20, 10
"""Of a run, where it is not said how often."""


@dataclass(frozen=True)
class Watch:
    """Where a training is written down, and what it is measured by."""

    folder: Path
    """Of the artifact, in its making: `metrics.jsonl`, `answers.jsonl` and `tensorboard/` come to stand in it."""
    held_out: HeldOut | None = None

    def callbacks(self, config: TuningConfig, work: Workload, more: Sequence[str]) -> list[TrainerCallback]:
        """For the Trainer, behind the one that times its steps.

        Args:
            more: numbers of the Trainer's that are told beside the usual ones.
        """
        journal = Journal(self.folder, config, work, config.log.every or max(1, len(work) // LINES), more)
        if not self.held_out:
            return [journal]
        evaluate = EvaluateEvery(config.watch.every or max(1, len(work) // EVALUATIONS), self._answers)
        stop = [StopEarly(config.early_stopping)] if config.early_stopping else []
        return [journal, evaluate, *stop]

    def equip(self, trainer: Any) -> None:
        """Give a trainer, whose class inherits from `Evaluated` first, what it evaluates by."""
        assert isinstance(trainer, Evaluated)
        if self.held_out:
            trainer.held_out, trainer.answers = self.held_out, self._answers

    @property
    def _answers(self) -> StepLines:
        return StepLines(self.folder / ANSWERS)
