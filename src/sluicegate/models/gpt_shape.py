"""The shape of a GPT as a user writes it: by the name of a preset, field by field, or as a preset with changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from sluicegate.config import Config, runtime
from sluicegate.registry import did_you_mean

if TYPE_CHECKING:
    from sluicegate.models.gpt import GPTConfig, GPTForCausalLM


class Rope(Config):
    """How rotary positions turn, and how they reach past the length a model was trained at."""

    method: Literal["none", "linear", "ntk", "dynamic_ntk", "yarn"] = "none"
    """What happens to the angles: nothing; every position divided by `factor`; a larger `theta`; a `theta` that grows
    with the text; or YaRN, which slows the channels that hardly came full circle in training."""
    factor: float = Field(default=1.0, ge=1)
    """How many times longer the texts are than those of training."""
    theta: float = Field(default=10_000.0, gt=1)
    """Channel pair i of a head d channels wide turns by theta^(-2i/d) radians a token."""
    original_length: int | None = Field(default=None, ge=1)
    """Tokens the model was trained to read at once, for dynamic_ntk and yarn; left out, the context."""
    alpha: float | None = Field(default=None, ge=1)
    """For ntk: theta becomes theta · alpha^(d/(d-2)), so that the slowest pair turns alpha times slower and the fastest
    as ever; left out, `factor`."""

    @model_validator(mode="after")
    def _alpha_is_of_ntk(self) -> Self:
        if self.alpha is not None and self.method != "ntk":
            raise ValueError(f"alpha is of the method ntk, and the method is {self.method}")
        return self


class GPTShape(Config):
    """Layers, widths and choices of a GPT; what is left out comes from the preset."""

    preset: str = Field(default="gpt_tiny", exclude=True)
    """gpt_tiny (0.4 M parameters, the demo's), gpt_125m (GPT-2's shape) or gpt_1b; each field then told wins."""
    layers: int = Field(default=3, ge=1)
    """Decoder layers."""
    width: int = Field(default=96, ge=2)
    """Channels of the residual stream."""
    heads: int = Field(default=4, ge=1)
    """Query heads of a layer."""
    kv_heads: int | None = Field(default=2, ge=1)
    """Key-value heads of a layer, shared by the query heads; null for one each."""
    context: int = Field(default=256, ge=2)
    """Tokens the model is meant to read at once; with learned positions it can read no more."""
    positions: Literal["rotary", "learned"] = "rotary"
    """Where a token stands: by the angle its queries and keys are turned to, or by an embedding added to its own."""
    rope: Rope = Rope()
    """The rotary positions."""
    norm: Literal["rms", "layer"] = "rms"
    """RMSNorm, or LayerNorm, which also takes the mean away."""
    norm_eps: float = Field(default=1e-6, gt=0)
    """Added to the variance in a norm, against division by nothing."""
    qk_norm: bool = True
    """Whether each head's queries and keys are normalised, which keeps attention from saturating."""
    mlp: Literal["swiglu", "gelu"] = "swiglu"
    """Feed-forward layer: gated linear units of three matrices, or GELU between two."""
    mlp_ratio: float = Field(default=3.0, gt=0)
    """Width of the feed-forward layer, in widths of the residual stream."""
    bias: bool = False
    """Whether linear layers and LayerNorm add a vector."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the embeddings, attention weights and block outputs that training sets to 0, for texts read often."""
    tied: bool = True
    """Whether the head is the embedding turned round."""
    init_std: float = Field(default=0.02, gt=0)
    """Standard deviation of the fresh matrices."""
    depth_init: bool = False
    """Whether the matrices that write into the residual stream start smaller by √(2 · layers), as in GPT-2."""
    attention: Literal["plain", "fused"] = runtime("fused")
    """Attention step by step, or in one kernel: the same but for dropout's draws, sooner and in less memory."""
    checkpointing: bool = runtime(False)
    """Whether training keeps only each layer's input and computes the rest twice: less memory, a third more time."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        """A text is the name of a preset; what a mapping leaves out is the preset's."""
        told = {"preset": given} if isinstance(given, str) else given
        if not isinstance(told, dict):
            raise ValueError("is neither the name of a preset nor a mapping such as {preset: gpt_125m, layers: 6}")
        name = str(told.get("preset", "gpt_tiny"))
        if name not in PRESETS:
            raise ValueError(f"no preset '{name}', {did_you_mean(name, PRESETS) or 'known: ' + ', '.join(PRESETS)}")
        return PRESETS[name] | told

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not an even number of channels for each of {self.heads} heads")
        if self.kv_heads and self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} cannot share kv_heads {self.kv_heads} evenly")
        if self.positions == "learned" and self.rope.method != "none":
            raise ValueError(f"rope.method {self.rope.method} turns rotary positions, and positions are learned")
        return self

    def config(
        self, vocab_size: int, pad_token_id: int | None = None, eos_token_id: int | list[int] | None = None
    ) -> GPTConfig:
        """The same shape as transformers writes it beside the weights, for a tokenizer of `vocab_size` tokens."""
        from sluicegate.models.gpt import GPTConfig

        return GPTConfig(
            vocab_size=vocab_size,
            hidden_size=self.width,
            intermediate_size=round(self.width * self.mlp_ratio),
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.kv_heads or self.heads,
            max_position_embeddings=self.context,
            positions=self.positions,
            rope_theta=self.rope.theta,
            rope=self.rope.model_dump(exclude={"theta"}, exclude_defaults=True),
            norm=self.norm,
            rms_norm_eps=self.norm_eps,
            qk_norm=self.qk_norm,
            mlp=self.mlp,
            bias=self.bias,
            dropout=self.dropout,
            initializer_range=self.init_std,
            depth_init=self.depth_init,
            tie_word_embeddings=self.tied,
            pad_token_id=pad_token_id,
            bos_token_id=eos_token_id if isinstance(eos_token_id, int) else None,
            eos_token_id=eos_token_id,
            attn_implementation={"plain": "eager", "fused": "sdpa"}[self.attention],  # type: ignore[call-arg]
        )

    def model(
        self, vocab_size: int, pad_token_id: int | None = None, eos_token_id: int | list[int] | None = None
    ) -> GPTForCausalLM:
        """A fresh model of this shape, its weights drawn from torch's generator."""
        from sluicegate.models.gpt import GPTForCausalLM

        model = GPTForCausalLM(self.config(vocab_size, pad_token_id, eos_token_id))
        if self.checkpointing:
            model.activation_checkpointing_enable()
        return model


PRESETS: dict[str, dict[str, Any]] = {
    "gpt_tiny": {},
    "gpt_125m": {
        "layers": 12, "width": 768, "heads": 12, "kv_heads": None, "context": 1024, "positions": "learned",
        "norm": "layer", "norm_eps": 1e-5, "qk_norm": False, "mlp": "gelu", "mlp_ratio": 4.0, "bias": True,
        "depth_init": True,
    },
    "gpt_1b": {
        "layers": 24, "width": 2048, "heads": 16, "kv_heads": 4, "context": 2048, "mlp_ratio": 2.5,
        "depth_init": True, "checkpointing": True,
    },
}  # fmt: skip
"""What each preset says besides the defaults above, which are gpt_tiny.

gpt_125m is GPT-2's smallest: 124 M parameters with its vocabulary of 50,257 tokens. gpt_1b is of today's kind, rotary,
RMSNorm, SwiGLU, grouped queries: 1.1 B parameters with the same vocabulary, 0.1 B of them its embedding.
"""
