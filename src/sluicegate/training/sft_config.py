"""What a fine-tuning can be told. Apart from the training itself, so that planning a run imports no torch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from sluicegate.config import Config, runtime
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.models.adapters import LoraSettings


class SftConfig(Config):
    """How a model is fine-tuned on conversations."""

    method: Literal["auto", "full", "lora"] = "auto"
    """Train every parameter (full), or a low-rank adapter beside a frozen base (lora). `auto` is full for a base of
    under a billion parameters, whose optimizer still fits a 24 GB GPU, and lora above."""
    lora: LoraSettings = LoraSettings()
    """The adapter of lora."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; rows are gone through as often as it takes. None: as `epochs` says."""
    epochs: float = Field(default=3.0, gt=0)
    """Times every row is seen, where `max_steps` is not given."""
    batch_size: int = Field(default=16, ge=1)
    """Rows per optimizer step, over all processes."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Its peak, reached after the warm-up; it falls to 0 linearly. None: 2e-5 (full) or 2e-4 (lora)."""
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = Field(default=0.01, ge=0)
    """How strongly AdamW pulls weights to 0."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Longer gradients are cut to this length."""
    max_length: int = Field(default=2048, ge=2)
    """Tokens of a row that are read; longer rows are cut at the end and counted."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the weights. auto: float32 for full, on a GPU under bfloat16 autocast; as the device likes for lora."""
    sampler: MixedBucketSampler.Config | None = None
    """Which rows come when: shares of languages, length buckets, a curriculum. Null: all rows alike, those of like
    length together."""
    seed: int = 0
    """Decides the order of the rows, the adapter's first weights and dropout."""
    device_batch_size: int | None = runtime(None, ge=1)
    """Rows per forward pass and device; it must divide the batch. None: the whole batch."""
    checkpoint_activations: bool | None = runtime(None)
    """Compute activations twice to hold fewer of them. None: on a GPU."""
    workers: int = runtime(0, ge=0)
    """Processes that turn many rows into tokens. 0: as many as there are cores."""

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.batch_size % (self.device_batch_size or 1):
            raise ValueError(f"device_batch_size {self.device_batch_size} does not divide batch_size {self.batch_size}")
        return self

    @property
    def peak_rate(self) -> float:
        """The learning rate asked for, or the method's."""
        return self.learning_rate or (2e-4 if self.method == "lora" else 2e-5)
