"""What a training tells on its way: to the console, the log, `metrics.jsonl` and the trackers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from sluicegate import runtime
from sluicegate.training.tuning_config import TuningConfig
from sluicegate.training.watching.curve import POINT, metrics_of, point, steps_after
from sluicegate.training.watching.effort import effort
from sluicegate.training.watching.step_lines import StepLines
from sluicegate.training.watching.trackers import Tracked, Tracker, open_trackers
from sluicegate.training.watching.workload import Workload

METRICS = "metrics.jsonl"
APART = 10.0
"""Seconds between two lines on a console at least; the log has all of them."""
WORDS: dict[str, str] = {
    "loss": "loss {:.4f}",
    "accuracy": "accuracy {:.1%}",
    "margin": "margin {:.4f}",
    "grad_norm": "gradient norm {:.3g}",
    "learning_rate": "learning rate {:.3g}",
    "samples": "{:,} samples",
    "tokens_per_second": "{:,.0f} tokens/s",
    "label_tokens_per_second": "{:,.0f} label tokens/s",
    "peak_memory_gib": "{:.1f} GiB",
}
"""How the numbers that a person follows are written on a line."""


class Journal(TrainerCallback):
    """Tells the means of every few steps, and every evaluation. All processes write their log, the first the files.

    Args:
        folder: of the artifact, in its making.
        every: steps between two lines.
        more: numbers of the Trainer's that are told beside the usual ones.
    """

    def __init__(
        self, folder: Path, config: TuningConfig, work: Workload, every: int, more: Sequence[str] = ()
    ) -> None:
        self.folder, self.config, self.work, self.every, self.more = folder, config, work, every, more
        self.lines = StepLines(folder / METRICS)
        self.trackers: list[Tracker] = []
        self.said, self.told = time.monotonic(), 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """It begins, or goes on from a checkpoint."""
        self.close()
        self.told = state.global_step // self.every * self.every
        if runtime.rank() == 0:
            ends = {"train": self.told, "held_out": state.global_step}
            self.lines.keep(lambda line: line["step"] <= ends[line["split"]])
            settings = self.config.model_dump(mode="json")
            self.trackers = open_trackers(Tracked(self.folder, self.config.log, settings, state.global_step))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """A step was logged, or something else."""
        if "loss" in logs and state.global_step % self.every == 0:
            self._tell_steps(state)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Held-out rows were measured."""
        numbers = metrics_of(metrics)
        runtime.say(f"  step {state.global_step:,}, held out: {_words(numbers)}")
        self._write(state.global_step, "held_out", numbers)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The last steps, where they are fewer."""
        if state.global_step > self.told:
            self._tell_steps(state)
        self.close()

    def close(self) -> None:
        """Let the trackers write out what they have."""
        for tracker in self.trackers:
            tracker.finish()
        self.trackers = []

    def _tell_steps(self, state: Any) -> None:
        """Those since the last that were told."""
        steps = steps_after(state.log_history, self.told)
        self.told = state.global_step
        numbers = point(steps, (*POINT, *self.more)) | effort(steps, self.work)
        self._say(f"  step {self.told:,} of {state.max_steps:,}: {_words(numbers)}")
        self._write(self.told, "train", numbers)

    def _say(self, line: str) -> None:
        """On a console that is no terminal, where a bar moves, and not too often."""
        now = time.monotonic()
        if runtime.console().is_terminal or now - self.said < APART:
            runtime.note(line)
        else:
            self.said = now
            runtime.say(line)

    def _write(self, step: int, split: str, numbers: Mapping[str, float]) -> None:
        if runtime.rank() == 0:
            self.lines.append({"step": step, "split": split, **numbers})
            named = {f"{split}/{name}": value for name, value in numbers.items() if name != "step"}
            for tracker in self.trackers:
                tracker.log(named, step=step)


def _words(numbers: Mapping[str, float]) -> str:
    return ", ".join(form.format(numbers[name]) for name, form in WORDS.items() if name in numbers)
