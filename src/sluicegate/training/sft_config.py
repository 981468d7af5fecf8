"""What a fine-tuning can be told. Apart from the training itself, so that planning a run imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from sluicegate.config import runtime
from sluicegate.training.presets import Preset, filled
from sluicegate.training.tuning_config import TuningConfig


class SftConfig(TuningConfig):
    """How a model is fine-tuned on conversations."""

    preset: Preset | None = Field(default=None, exclude=True)
    """Fills what is not told here: `less` as LESS was trained (arXiv 2402.04333), `rtx4090` and `rtx5090` an adapter of
    a 7B model on one such card."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Its peak, reached after the warm-up. None: 2e-5 (full) or 2e-4 (an adapter)."""
    mixture: float | None = Field(default=None, gt=0, le=1)
    """With a `selection`: the share of its rows among those trained on; the others are drawn at random from what it did
    not keep. Null: its rows alone."""
    neftune_alpha: float | None = Field(default=None, gt=0)
    """Noise on the embeddings of rows that are trained on (NEFTune, arXiv 2310.05914), at most alpha /
    √(tokens · width) in each number; 5 is usual."""
    packing: bool = runtime(False)
    """Put the rows of a pass end to end instead of padding them; none sees another, and the loss stays the same. A
    model that would let them is refused. It saves time where rows differ in length and there is flash attention."""
    liger: bool = runtime(False)
    """Liger's fused kernels, on a GPU, for an architecture it knows."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, told: Any) -> Any:
        return filled(told) if isinstance(told, Mapping) else told

    @model_validator(mode="after")
    def _noise_is_of_a_row(self) -> Self:
        if self.neftune_alpha and self.packing:
            raise ValueError("neftune_alpha does not go with packing: its noise is measured by the length of a row")
        return self

    @property
    def peak_rate(self) -> float:
        """The learning rate asked for, or the method's."""
        return self.learning_rate or (2e-4 if self.adapted else 2e-5)
