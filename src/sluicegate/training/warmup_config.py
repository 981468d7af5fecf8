"""What a warm-up can be told. Apart from the warm-up itself, so that planning a run imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from sluicegate.config import Config, runtime
from sluicegate.data.corrupt import KINDS
from sluicegate.registry import CORRUPTIONS, did_you_mean


class ReferenceConfig(Config):
    """How the reference copy is tuned."""

    method: Literal["auto", "lora", "full", "off"] = "auto"
    """`auto` is `full` for a base of under 20 M parameters and `lora` (rank 8) above; `off` reads the base itself."""
    steps: int = Field(default=60, ge=1)
    """Most optimizer steps; the copy with the lowest held-out trusted loss is taken."""
    batch_size: int = Field(default=16, ge=1)
    """Trusted rows per optimizer step."""
    learning_rate: float | None = Field(default=None, gt=0)
    """None: 1e-2 (lora) or 1e-3 (full) at width 96, falling as 1 / width."""
    check_every: int = Field(default=10, ge=1)
    """Steps between two looks at the held-out loss."""


class WarmupConfig(Config):
    """How a gate is warmed up."""

    kind: Literal["surprise"] = "surprise"
    """What the gate reads: the residual stream and the token's surprise."""
    rank: int = Field(16, ge=1)
    """Width of each layer's gate."""
    layers: int = Field(8, ge=1)
    """Most layers that carry a gate, evenly spaced."""
    context_gain: bool = True
    """Also read each response without its prompt: finds answers to another question, at one more forward pass."""
    reference: ReferenceConfig = ReferenceConfig()
    """The briefly tuned copy the gate reads."""
    corruptions: list[str] = Field(list(KINDS), min_length=1)
    """Kinds of damage to learn from (sluice ls corruptions)."""
    copies: int = Field(8, ge=1)
    """Damaged copies of every trusted row."""
    epochs: int = Field(20, ge=1)
    """Times the gate sees every row, damaged or not."""
    batch_size: int = Field(64, ge=1)
    """Rows per optimizer step."""
    learning_rate: float = Field(5e-3, gt=0)
    """Its first value; it falls to 0 linearly."""
    weight_decay: float = Field(0.01, ge=0)
    """Decay of the gate's weights."""
    positive_weight: float = Field(6.0, gt=0)
    """Weight of an undamaged row against one damaged copy."""
    max_length: int = Field(2048, ge=2)
    """Tokens of a row that are read."""
    seed: int = 0
    """Seed of the damage, of what is held out and of the gate's first weights."""
    min_auroc: float | None = Field(None, ge=0, le=1)
    """Stop with exit code 4, and make no gate, when the held-out AUROC is below this."""
    read_batch_size: int = runtime(64, ge=1)
    """Rows per forward pass while states are read."""

    @field_validator("corruptions")
    @classmethod
    def _are_known(cls, kinds: list[str]) -> list[str]:
        known = CORRUPTIONS.names()
        if lost := next((kind for kind in kinds if kind not in known), None):
            hint = did_you_mean(lost, known) or f"known: {', '.join(known)}"
            raise ValueError(f"no corruption named '{lost}', {hint}")
        return kinds
