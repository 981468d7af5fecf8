"""How long a model is pretrained, on batches of which shape, by which optimizer and at which learning rate."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sluicegate.config import Config, runtime


class Schedule(Config):
    """Length, batches, optimizer and learning rate of a run from scratch."""

    steps: int = Field(1100, ge=1)
    """Optimizer steps."""
    batch_rows: int = Field(12, ge=1)
    """Rows of an optimizer step, over all processes and accumulated passes."""
    row_tokens: int = Field(128, ge=2)
    """Tokens a row trains on; documents are packed, each ended, and cut where a row is full."""
    mask_documents: bool = False
    """Whether what is packed into a row stays apart: no token sees or predicts one of another document, and positions
    begin anew with each."""
    weights: dict[str, Annotated[float, Field(gt=0, le=1e9)]] = {}
    """Source to the weight of its tokens, in any unit: `{books: 2, web: 1}`; sources that are not named are left out,
    and a source that ends begins anew. None: all documents alike."""
    held_out: float = Field(0.0, ge=0, lt=1)
    """Share of the documents that is not trained on but measured."""
    evaluate_every: int = Field(100, ge=1)
    """Steps between two measurements of the loss on what is held out."""
    evaluate_rows: int = Field(64, ge=1)
    """Rows of such a measurement, always the same ones."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """`muon` for the matrices inside the blocks with AdamW for the rest, or `adamw` for all."""
    beta2: float = Field(0.98, gt=0, lt=1)
    """How slowly AdamW forgets the size of old gradients."""
    learning_rate: float = Field(4e-3, gt=0)
    """Highest learning rate."""
    schedule: Literal["trapezoid", "cosine"] = "trapezoid"
    """What comes after the warm-up: a plateau and a fall in a line, or half a cosine."""
    warmup_steps: int = Field(50, ge=1)
    """Steps over which the learning rate rises to its highest."""
    decay_share: float = Field(0.6, gt=0, le=1)
    """Of a trapezoid, the share of the steps, the last ones, over which the learning rate falls to nothing."""
    final_share: float = Field(0.1, ge=0, le=1)
    """Of a cosine, the share of the learning rate that the last step still has."""
    weight_decay: float = Field(0.05, ge=0)
    """Decay of the matrices; norm weights and biases do not decay."""
    max_grad_norm: float = Field(1.0, gt=0)
    """Gradients longer than this are shortened to it."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """What is multiplied in; weights stay float32. auto: bfloat16 on a GPU that has it, float32 elsewhere."""
    seed: int = Field(0, ge=0)
    """Seed of the weights, of the order of documents and of dropout."""
    device_rows: int | None = runtime(None, ge=1)
    """Rows of a forward pass; a process accumulates its share of a batch so. None: the whole share at once."""
    compile: bool = runtime(False)
    """Let torch.compile make the model faster; its first step then takes a minute."""
    checkpoint_every: int = runtime(250, ge=1)
    """Steps between two checkpoints, from which a killed run goes on."""
    log_every: int = runtime(10, ge=1)
    """Steps between two lines of the log and points of TensorBoard."""
    threads: int | None = runtime(None, ge=1)
    """CPU threads; left out, as many as torch takes."""

    @model_validator(mode="after")
    def _scales_whole_steps(self) -> Self:
        if self.dtype == "float16" and self.optimizer == "muon":
            raise ValueError("dtype float16 skips steps that overflow, and muon is two optimizers: take adamw")
        return self

    @property
    def batch_tokens(self) -> int:
        """Tokens each step trains on."""
        return self.batch_rows * self.row_tokens

    def rate(self, step: int) -> float:
        """The learning rate of 0-based `step`."""
        rise = min(1.0, (step + 1) / self.warmup_steps)
        return self.learning_rate * rise * (self._fall(step) if self.schedule == "trapezoid" else self._cosine(step))

    def _fall(self, step: int) -> float:
        """1, and then a line that ends just above 0."""
        return min(1.0, (self.steps - step) / (self.steps * self.decay_share))

    def _cosine(self, step: int) -> float:
        """1 until the warm-up's last step, `final_share` at the last of all."""
        done = (step + 1 - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * min(1.0, max(0.0, done)))) / 2
