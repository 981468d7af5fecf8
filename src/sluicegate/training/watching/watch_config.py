"""How a tuning is watched: held-out rows and prompts on the way, when to stop, and where its numbers are told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sluicegate.config import Config


class WatchConfig(Config):
    """What is measured on the way on the rows of the input `held_out`."""

    every: int | None = Field(default=None, ge=1)
    """Optimizer steps between two evaluations. None: a tenth of the run."""
    rows: int | None = Field(default=512, ge=1)
    """Held-out rows the loss is taken of, the first ones; null takes all."""
    prompts: int = Field(default=4, ge=0)
    """How many of them are answered at each evaluation and kept in `answers.jsonl`, to read the progress."""
    max_new_tokens: int = Field(default=128, ge=1)
    """Where an answer that does not end is cut."""


class EarlyStopping(Config):
    """Stop when a held-out metric no longer improves."""

    metric: str = "loss"
    """The metric, such as `loss` or `accuracy`."""
    patience: int = Field(default=3, ge=1)
    """Evaluations without an improvement after which it is enough."""
    min_delta: float = Field(default=0.0, ge=0)
    """What counts as an improvement must be larger than this."""


class LogConfig(Config):
    """Where loss, learning rate, gradient norm, tokens per second and memory are told."""

    every: int | None = Field(default=None, ge=1)
    """Optimizer steps between two lines. None: a twentieth of the run."""
    track: list[Literal["tensorboard", "wandb", "trackio", "swanlab"]] = ["tensorboard"]
    """Trackers beside the console and the log."""
    online: bool = False
    """Whether wandb, trackio and swanlab may send anything away from this machine."""
    project: str = "sluicegate"
    """What the trackers file the run under."""
