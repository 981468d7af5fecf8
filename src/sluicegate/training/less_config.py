"""What the warm-up of LESS can be told. Apart from the training itself, so that planning a run imports no torch."""

from __future__ import annotations

from pydantic import Field

from sluicegate.config import Config
from sluicegate.models.adapters import LoraSettings


class LessWarmupConfig(Config):
    """The short training of an adapter at whose checkpoints gradients are taken."""

    share: float = Field(default=0.05, gt=0, le=1)
    """Share of the rows, drawn at random, that are trained on."""
    epochs: int = Field(default=4, ge=1)
    """Times they are seen; after each a checkpoint is kept, and every one costs a forward and a backward pass."""
    batch_size: int = Field(default=16, ge=1)
    """Rows per optimizer step."""
    learning_rate: float = Field(default=2e-4, gt=0)
    """Its first value; it falls to 0 linearly. A checkpoint counts for as much as its epoch's mean."""
    lora: LoraSettings = LoraSettings()
    """The adapter."""
    seed: int = 0
    """Decides the rows, their order, the adapter's first weights and dropout."""
