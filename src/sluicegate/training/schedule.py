"""How long a model is pretrained, on batches of which shape, and at which learning rate."""

from __future__ import annotations

from pydantic import Field

from sluicegate.config import Config, runtime


class Schedule(Config):
    """Length, batches and learning rate of a pretraining run."""

    steps: int = Field(1100, ge=1)
    """Optimizer steps."""
    batch_rows: int = Field(12, ge=1)
    """Rows in a batch."""
    row_tokens: int = Field(128, ge=2)
    """Tokens a row trains on; documents are packed, each ended, and cut where a row is full."""
    learning_rate: float = Field(4e-3, gt=0)
    """Highest learning rate."""
    warmup_steps: int = Field(50, ge=1)
    """Steps over which the learning rate rises to its highest."""
    decay_share: float = Field(0.6, gt=0, le=1)
    """Share of the steps, the last ones, over which the learning rate falls to nothing."""
    weight_decay: float = Field(0.05, ge=0)
    """Decay of the matrices; norm weights do not decay."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients longer than this are shortened to it."""
    seed: int = Field(0, ge=0)
    """Seed of the weights and of the order of documents."""
    checkpoint_every: int = runtime(250, ge=1)
    """Steps between two checkpoints, from which a killed run goes on."""
    threads: int | None = runtime(None, ge=1)
    """CPU threads; left out, as many as torch takes."""

    @property
    def batch_tokens(self) -> int:
        """Tokens each step trains on."""
        return self.batch_rows * self.row_tokens

    def rate(self, step: int) -> float:
        """The learning rate of 0-based `step`: a linear rise, a plateau, a linear fall that ends just above 0."""
        rise = (step + 1) / self.warmup_steps
        fall = (self.steps - step) / (self.steps * self.decay_share)
        return self.learning_rate * min(1.0, rise) * min(1.0, fall)
