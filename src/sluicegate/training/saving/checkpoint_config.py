"""When a training is saved, and which of its states is its result."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from sluicegate.config import Config, runtime


class CheckpointConfig(Config):
    """Checkpoints of a tuning: one stopped between them goes on from the last, to the same bytes on a CPU."""

    every: int | None = runtime(None, ge=0)
    """Optimizer steps between two checkpoints; 0: none. Null: a tenth of the run, but where none is left beside the
    model not within a minute of the last one. A signal that ends the run makes one more."""
    keep: int = runtime(1, ge=1)
    """How many of the last are held while it runs."""
    leave: int = runtime(0, ge=0)
    """How many of the last stay beside the finished model, in `checkpoints/step-N`, as models without an optimizer."""
    best: str | None = None
    """A held-out metric, such as `loss` or `accuracy`: the model that did best by it stays in
    `checkpoints/best`."""
    take: Literal["final", "best"] = "final"
    """Which model is the result: that of the last step, or the best."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.take == "best" and not self.best:
            raise ValueError("take: best needs a metric to judge by, as in best: loss")
        if self.leave and self.every == 0:
            raise ValueError(f"leave: {self.leave} of no checkpoints: let every be at least 1")
        return self
