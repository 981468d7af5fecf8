"""What rides along with a transformers `Trainer`."""

from __future__ import annotations

from typing import Any

from rich.progress import Progress
from transformers import TrainerCallback


class ShowProgress(TrainerCallback):
    """Moves one task of a rich display forward, a step at a time, and shows its loss."""

    def __init__(self, display: Progress, description: str) -> None:
        self.display, self.description = display, description
        self.task = display.add_task(description, total=None)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Now the number of steps is known, and how many were done before; it may begin again."""
        self.display.update(self.task, total=state.max_steps, completed=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """One optimizer step is done."""
        self.display.update(self.task, completed=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """A step was logged, or something else."""
        if "loss" in logs:
            self.display.update(self.task, description=f"{self.description}, loss {logs['loss']:.3f}")
