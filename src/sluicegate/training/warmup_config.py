"""What a warm-up can be told. Apart from the warm-up itself, so that planning a run imports no torch."""

from __future__ import annotations

from typing import Literal

from sluicegate.config import Config, runtime
from sluicegate.data.corrupt import KINDS


class ReferenceConfig(Config):
    """How the reference copy is tuned."""

    method: Literal["auto", "lora", "full", "off"] = "auto"
    """`auto` is `full` for a base of under 20 M parameters and `lora` (rank 8) above; `off` reads the base itself."""
    steps: int = 60
    """Most optimizer steps; the copy with the lowest held-out trusted loss is taken."""
    batch_size: int = 16
    """Trusted rows per optimizer step."""
    learning_rate: float | None = None
    """None: 1e-2 (lora) or 1e-3 (full) at width 96, falling as 1 / width."""
    check_every: int = 10
    """Steps between two looks at the held-out loss."""


class WarmupConfig(Config):
    """How a gate is warmed up."""

    kind: Literal["surprise"] = "surprise"
    """What the gate reads: the residual stream and the token's surprise."""
    rank: int = 16
    """Width of each layer's gate."""
    layers: int = 8
    """Most layers that carry a gate, evenly spaced."""
    context_gain: bool = True
    """Also read each response without its prompt: finds answers to another question, at one more forward pass."""
    reference: ReferenceConfig = ReferenceConfig()
    """The briefly tuned copy the gate reads."""
    corruptions: list[str] = list(KINDS)
    """Kinds of damage to learn from (sluice ls corruptions)."""
    copies: int = 8
    """Damaged copies of every trusted row."""
    epochs: int = 20
    """Times the gate sees every row, damaged or not."""
    batch_size: int = 64
    """Rows per optimizer step."""
    learning_rate: float = 5e-3
    """Its first value; it falls to 0 linearly."""
    weight_decay: float = 0.01
    """Decay of the gate's weights."""
    positive_weight: float = 6.0
    """Weight of an undamaged row against one damaged copy."""
    max_length: int = 2048
    """Tokens of a row that are read."""
    seed: int = 0
    """Seed of the damage, of what is held out and of the gate's first weights."""
    min_auroc: float | None = None
    """Stop with exit code 4, and make no gate, when the held-out AUROC is below this."""
    read_batch_size: int = runtime(64)
    """Rows per forward pass while states are read."""
