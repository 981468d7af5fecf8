"""What transformers keeps of a GPT beside its weights; `GPTShape` tells what each choice means."""

from __future__ import annotations

from typing import Any, Literal

from transformers import PreTrainedConfig

from sluicegate.config import build
from sluicegate.models.gpt_shape import Rope


class GPTConfig(PreTrainedConfig):
    """The shape of a GPT; the defaults are the small world's, 0.4 million parameters.

    `rope` holds what differs from the defaults of `Rope`. `from_pretrained(folder, max_position_embeddings=1024,
    rope={"method": "yarn", "factor": 4, "original_length": 256})` opens a model trained at 256 tokens for 1024.
    """

    model_type = "sluice_gpt"

    vocab_size: int = 768
    hidden_size: int = 96
    intermediate_size: int = 288
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    max_position_embeddings: int = 256
    positions: Literal["rotary", "learned"] = "rotary"
    rope_theta: float = 10_000.0
    rope: dict[str, Any] | None = None
    norm: Literal["rms", "layer"] = "rms"
    rms_norm_eps: float = 1e-6
    qk_norm: bool = True
    mlp: Literal["swiglu", "gelu"] = "swiglu"
    bias: bool = False
    dropout: float = 0.0
    initializer_range: float = 0.02
    depth_init: bool = False
    tie_word_embeddings: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    @property
    def head_dim(self) -> int:
        """Channels of one attention head, an even number."""
        return self.hidden_size // self.num_attention_heads

    @property
    def rotary(self) -> Rope:
        """How the rotary positions turn.

        Raises:
            ConfigError: `rope` has a key or a value that is not one of `Rope`.
        """
        return build(Rope, {"theta": self.rope_theta} | (self.rope or {}), "rope")
