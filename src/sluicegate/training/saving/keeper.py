"""When a training is saved: at its time, where a model is the best so far, and when the run is told to end."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback
from transformers.trainer_callback import ExportableState

from sluicegate.errors import ConfigError
from sluicegate.training.saving.checkpoints import Checkpoints
from sluicegate.training.saving.leave import Leave
from sluicegate.training.watching.curve import metrics_of
from sluicegate.training.watching.held_out_metrics import improves


class Keeper(TrainerCallback, ExportableState):
    """Asks the Trainer for checkpoints.

    Args:
        leave: says when the run is told to end.
    """

    def __init__(self, checkpoints: Checkpoints, leave: Leave) -> None:
        self.checkpoints, self.leave = checkpoints, leave
        self.best: dict[str, float] | None = None
        """`step` and value of the metric."""
        self.metrics: dict[str, float] = {}
        """Of an evaluation at this step."""
        self.waited = False
        """Whether the last checkpoint is old, as all processes know."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"args": {}, "attributes": {"best": self.best}}

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Nothing is measured yet."""
        self.metrics = {}

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step is done."""
        if self.leave.agreed or self.checkpoints.due(state.global_step, self.waited):
            control.should_save = True

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Held-out rows were judged."""
        self.metrics = metrics_of(metrics)
        metric = self.checkpoints.config.best
        if metric and self._improves(metric):
            self.best = {"step": state.global_step, metric: self.metrics[metric]}
            control.should_save = True

    def _improves(self, metric: str) -> bool:
        if metric not in self.metrics:
            hint = f"there are: {', '.join(self.metrics)}"
            raise ConfigError(f"checkpoints.best: held-out rows are not judged by '{metric}'", hint)
        return self.best is None or improves(metric, self.metrics[metric], self.best[metric])

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """All is on the disk, so the run may end."""
        if self.leave.agreed:
            control.should_training_stop = True
