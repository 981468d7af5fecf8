"""When it is enough: a held-out metric that no longer improves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback

from sluicegate import runtime
from sluicegate.training.watching.held_out_metrics import LOGGED, improves
from sluicegate.training.watching.watch_config import EarlyStopping


class StopEarly(TrainerCallback):
    """Ends a training. All it knows it reads from the log, so that one which goes on waits no longer than another."""

    def __init__(self, config: EarlyStopping) -> None:
        self.config = config

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Held-out rows were measured once more."""
        name = LOGGED + self.config.metric
        values = [entry[name] for entry in state.log_history if name in entry]
        waited = evaluations_since_best(values, self.config)
        if waited >= self.config.patience and state.global_step < state.max_steps:
            control.should_training_stop = True
            runtime.say(
                f"  early stopping at step {state.global_step}: {waited} evaluations without a better held-out "
                f"{self.config.metric} than {values[-1 - waited]:.4g}"
            )


def evaluations_since_best(values: Sequence[float], config: EarlyStopping) -> int:
    """How many of the last values were no improvement."""
    best = 0
    for n, value in enumerate(values):
        if improves(config.metric, value, values[best], config.min_delta):
            best = n
    return len(values) - 1 - best
