"""What a training on preferences can be told. Apart from the training itself, so that planning imports no torch."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from sluicegate.config import runtime
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.training.tuning_config import TuningConfig

LossName: TypeAlias = Literal[
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
]  # fmt: skip
"""The losses of trl's DPO; a test holds the list to the trl that is installed."""
SMOOTHED = ("sigmoid", "robust", "exo_pair", "aot", "aot_unpaired")
"""Those that know label smoothing."""
LENGTH_FREE = ("ipo", "sigmoid_norm", "sft")
"""Those that take means over tokens, or no reference: a length penalty would not change them."""

OVER_A_PASS = ("aot", "aot_unpaired", "sft")
"""Those that are no mean over pairs, but compare or pool all that go through the model together."""


class PreferenceConfig(TuningConfig):
    """How a model is trained to prefer the chosen side of each pair."""

    usual_rates: ClassVar[dict[str, float]]
    """Of each method, where no `learning_rate` is given."""

    epochs: float = Field(default=1.0, gt=0)
    """Times every pair is seen, where `max_steps` is not given."""
    total_batch: int = Field(default=16, ge=1)
    """Pairs per optimizer step, over all processes and accumulated passes."""
    max_length: int = Field(default=2048, ge=2)
    """Tokens of a side, its prompt included, that are read; longer ones are cut at the end and counted."""
    sampler: MixedBucketSampler.Config = MixedBucketSampler.Config()
    """Which pairs come when: shares of languages as `{share: {zh: 0.7}}`, length buckets, a curriculum by `lang`,
    `source` or `bucket`. A last batch is filled up with pairs that were seen."""
    device_batch_size: int | None = runtime(None, ge=1)
    """Pairs per forward pass and device. None: as many as the device's share of the batch holds."""

    @property
    def peak_rate(self) -> float:
        """The learning rate asked for, or the method's."""
        return self.learning_rate or self.usual_rates["lora" if self.adapted else "full"]


class DpoConfig(PreferenceConfig):
    """How a model is trained by DPO or one of its relatives; the formula is told by the stage."""

    usual_rates: ClassVar[dict[str, float]] = {"full": 5e-7, "lora": 5e-6}

    learning_rate: float | None = Field(default=None, gt=0)
    """Its peak, reached after the warm-up. None: 5e-7 (full) or 5e-6 (an adapter)."""
    loss: LossName = "sigmoid"
    """A loss of trl's by its name: `sigmoid` is DPO's own, `ipo`, `hinge`, `robust` and the others stand in its place;
    `sigmoid_norm` is DPO's over the mean per token."""
    beta: float = Field(default=0.1, gt=0)
    """How dear it is to leave the reference; the higher, the nearer the model stays."""
    reference_free: bool = False
    """Leave the reference out: log π_ref is 0 everywhere, so nothing holds the model near where it began."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """The share ε of pairs believed to be the wrong way round. With `sigmoid`, conservative DPO: the loss is
    -(1 - ε) log σ(z) - ε log σ(-z); with `robust` (arXiv 2403.00409) the same without its bias."""
    length_penalty: float = Field(default=0.0, ge=0)
    """α of R-DPO (arXiv 2403.19159): z grows by α · (label tokens of the chosen side - those of the rejected), so what
    length alone explains is not learnt. 0.02 is usual; 0 is plain DPO."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.label_smoothing and self.loss not in SMOOTHED:
            raise ValueError(f"loss {self.loss} knows no label_smoothing; these do: {', '.join(SMOOTHED)}")
        if self.loss == "exo_pair" and not self.label_smoothing:
            raise ValueError("loss exo_pair needs a label_smoothing above 0, as 0.001")
        if self.length_penalty and self.loss in LENGTH_FREE:
            raise ValueError(f"length_penalty would change nothing: loss {self.loss} does not grow with length")
        if "lm_head" in self.lora.targets:
            raise ValueError(
                "lora.targets: an adapter on lm_head would not be trained, for trl reads the head's weights"
            )
        if self.loss in OVER_A_PASS and self.device_batch_size not in (None, self.total_batch):
            raise ValueError(f"loss {self.loss} needs its pairs in one pass: lower total_batch, not device_batch_size")
        return self


class OrpoConfig(PreferenceConfig):
    """How a model is trained by ORPO; the formula is told by the stage."""

    usual_rates: ClassVar[dict[str, float]] = {"full": 5e-6, "lora": 5e-5}

    learning_rate: float | None = Field(default=None, gt=0)
    """Its peak, reached after the warm-up. None: 5e-6 (full) or 5e-5 (an adapter)."""
    beta: float = Field(default=0.1, gt=0)
    """Weight of the odds ratio beside the loss of the chosen side; λ in the paper."""
