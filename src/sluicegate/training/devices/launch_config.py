"""How many processes share a tuning, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from sluicegate.config import Config


class LaunchConfig(Config):
    """Processes of one machine; under `torchrun` or `accelerate launch` those count, whatever is said here."""

    processes: PositiveInt | Literal["auto"] = "auto"
    """auto: one for each GPU that is visible, one on a CPU."""
    strategy: Literal["ddp", "fsdp", "deepspeed_zero2", "deepspeed_zero3"] = "ddp"
    """A copy of the model in each process (ddp), or its weights, gradients and optimizer shared out: all of them (fsdp,
    deepspeed_zero3), or all but the weights (deepspeed_zero2)."""
    config: Path | None = Field(default=None)
    """Settings of DeepSpeed, a JSON file, in place of those that its strategies set."""

    @model_validator(mode="after")
    def _is_read(self) -> Self:
        if self.config and not self.strategy.startswith("deepspeed"):
            raise ValueError(f"launch.config is for DeepSpeed, and launch.strategy is {self.strategy}")
        return self
