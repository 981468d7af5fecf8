"""What a warm-up can be told. Apart from the warm-up itself, so that planning a run imports no torch."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from sluicegate.config import Config, runtime
from sluicegate.data.corrupt import KINDS, UNSEEN
from sluicegate.models.adapters import LoraSettings
from sluicegate.registry import CORRUPTIONS, did_you_mean

GateKind = Literal["surprise", "linear", "trash"]


class ReferenceConfig(Config):
    """How the reference copy is tuned."""

    method: Literal["auto", "lora", "full", "off"] = "auto"
    """`auto` is `full` for a base of under 20 M parameters and `lora` (rank 8) above; `off` reads the base itself.
    `reference: lora` is short for `reference: {method: lora}`."""
    steps: int = Field(default=60, ge=1)
    """Most optimizer steps; the copy with the lowest held-out trusted loss is taken."""
    batch_size: int = Field(default=16, ge=1)
    """Trusted rows per optimizer step."""
    learning_rate: float | None = Field(default=None, gt=0)
    """None: 1e-2 (lora) or 1e-3 (full) at width 96, falling as 1 / width."""
    check_every: int = Field(default=10, ge=1)
    """Steps between two looks at the held-out loss."""
    batch_tokens: int = runtime(2048, ge=1)
    """Padded tokens per forward and backward pass; a larger batch is taken in parts, to the same gradient. A longer
    row goes alone."""

    @field_validator("method", mode="before")
    @classmethod
    def _off_is_a_word(cls, method: Any) -> Any:
        """YAML reads a bare `off` as false."""
        return "off" if method is False else method


class WarmupConfig(Config):
    """How a gate is warmed up."""

    kind: GateKind = "surprise"
    """`surprise`: the default. `linear`: a gate beside each MLP, in nothing's way, trained by LM loss + w · mean gate.
    `trash`: y = g · MLP(x) + (1 - g) · trash(x), trained by the same loss."""
    layers: int = Field(8, ge=1)
    """Most layers that carry a gate, evenly spaced."""
    max_length: int = Field(2048, ge=2)
    """Tokens of a row that are read."""
    seed: int = 0
    """Seed of the damage, of what is held out and of the gate's first weights."""
    batch_size: int = Field(64, ge=1)
    """Rows per optimizer step."""
    epochs: int | None = Field(None, ge=1)
    """Times the gate sees every row, damaged or not. None: 20 (surprise) or 1 (linear, trash)."""
    learning_rate: float | None = Field(None, gt=0)
    """Its first value; it falls to 0 linearly. None: 5e-3 (surprise), 1e-3 (linear) or 1e-2 (trash)."""
    weight_decay: float = Field(0.01, ge=0)
    """Decay of the gate's weights."""

    # surprise

    rank: int = Field(16, ge=1)
    """surprise: width of each layer's gate."""
    context_gain: bool = True
    """surprise: also read each response without its prompt: finds answers to another question, at one more pass."""
    reference: ReferenceConfig = ReferenceConfig()
    """surprise: the briefly tuned copy the gate reads."""
    cross_fit: bool = False
    """surprise: tune two copies, each on one half of the trusted rows, and give each a gate on the other half; the
    score is the mean of both. Twice the cost. Where no copy is kept it is one plain gate on all rows."""
    positive_weight: float = Field(6.0, gt=0)
    """surprise: weight of an undamaged row against one damaged copy."""

    # linear and trash

    trainable: Literal["gates", "router"] = "gates"
    """linear, trash: `router`, for a mixture of experts, trains its routers and nothing else; the share of probability
    that a router gives the experts it chooses is then the gate."""
    trash: Literal["zero", "noise"] = "zero"
    """trash: what a closed gate lets through: nothing, or noise as strong as the MLP's output."""
    mode: Literal["full_rank", "lora"] = "full_rank"
    """linear, trash: `full_rank` trains the gates' (or the routers') own weights; `lora` trains a low-rank update: of
    the routers, or of the base's linear layers beside the gates, kept as an adapter in the gate's artifact."""
    lora: LoraSettings = LoraSettings(rank=8, alpha=16)
    """linear, trash: the shape of that update."""
    quality_loss_weight: float = Field(0.1, ge=0)
    """linear, trash: w of LM loss + w · mean gate."""
    average: Literal["sample", "token"] = "sample"
    """linear, trash: the mean gate is over the rows' means, or over all response tokens."""
    load_balancing: bool = False
    """linear, trash: add the load-balancing loss of a mixture of experts, as strong as its config says."""
    balance: float | None = Field(None, ge=0, le=2)
    """linear, trash: b of the target-task loss, in place of the mean gate: b · g on rows of `data` and (2 - b)(1 - g)
    on trusted rows."""

    # damage to trusted rows, and what is asked of the gate

    corruptions: list[str] = Field(list(KINDS), min_length=1)
    """Kinds of damage to learn from (sluice ls corruptions); linear and trash gates are only measured on them."""
    copies: int = Field(8, ge=1)
    """Copies of every trusted row with such damage."""
    unseen: list[str] = list(UNSEEN)
    """Kinds of damage the gate never learns from, which its held-out AUROC is measured on as well."""
    min_auroc: float | None = Field(None, ge=0, le=1)
    """Stop with exit code 4, and make no gate, when the held-out AUROC is below this."""
    read_batch_tokens: int = runtime(8192, ge=1)
    """Padded tokens per forward pass while rows are read; a longer row goes alone."""

    @property
    def unseen_kinds(self) -> list[str]:
        """Those of `unseen` that `corruptions` does not teach."""
        return [kind for kind in self.unseen if kind not in self.corruptions]

    @field_validator("reference", mode="before")
    @classmethod
    def _is_short_for_its_method(cls, reference: Any) -> Any:
        return {"method": reference} if isinstance(reference, str | bool) else reference

    @field_validator("corruptions", "unseen")
    @classmethod
    def _are_known(cls, kinds: list[str]) -> list[str]:
        known = CORRUPTIONS.names()
        if lost := next((kind for kind in kinds if kind not in known), None):
            hint = did_you_mean(lost, known) or f"known: {', '.join(known)}"
            raise ValueError(f"no corruption named '{lost}', {hint}")
        return kinds

    @model_validator(mode="after")
    def _asks_nothing_of_another_kind(self) -> Self:
        """A key is read by the kinds that its help begins with, or by all."""
        for name in self.model_fields_set:
            field, value = type(self).model_fields[name], getattr(self, name)
            readers = (field.description or "").partition(":")[0].split(", ")
            if self.kind in readers or not set(readers) <= set(get_args(GateKind)):
                continue
            if value not in (field.default, False) and getattr(value, "method", "") != "off":
                raise ValueError(f"'{name}' is for {' and '.join(readers)} gates, and kind is {self.kind}")
        return self
