"""A GPT from scratch: a small decoder to pretrain, tune and gate on a CPU, and to read in one sitting.

Pre-norm blocks with RMSNorm (arXiv 1910.07467), rotary positions (arXiv 2104.09864), grouped-query attention
(arXiv 2305.13245) with normalised queries and keys (arXiv 2010.04245), SwiGLU (arXiv 2002.05202) and a head tied to
the embedding. Modules carry the names Qwen3 gave them, so that LoRA targets and weight tools fit. Importing this file
makes the Auto classes know `sluice_gpt`.

Shapes: B rows, T new tokens, S tokens seen (cached and new), H query heads, K key-value heads, d = D / H, V tokens.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.cache_utils import Cache, DynamicCache
from transformers.masking_utils import create_causal_mask
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.utils.generic import can_return_tuple


class GPTConfig(PreTrainedConfig):
    """The shape of a GPT; the defaults are the small world's, half a million parameters."""

    model_type = "sluice_gpt"

    vocab_size: int = 768
    hidden_size: int = 96
    intermediate_size: int = 288
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    max_position_embeddings: int = 256
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-6
    initializer_range: float = 0.02
    tie_word_embeddings: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None

    @property
    def head_dim(self) -> int:
        """Channels of one attention head, an even number."""
        return self.hidden_size // self.num_attention_heads


def rotation(positions: Tensor, config: GPTConfig) -> tuple[Tensor, Tensor]:
    """Cosines and signed sines that turn channel pair i of position p by p · theta^(-2i/d); both (B or 1, T, 1, d)."""
    pair = torch.arange(0, config.head_dim, 2, device=positions.device) / config.head_dim  # (d/2,)
    angle = positions[..., None, None] * config.rope_theta**-pair  # (B, T, 1, d/2)
    cos, sin = angle.cos(), angle.sin()
    return torch.cat((cos, cos), -1), torch.cat((-sin, sin), -1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (channel i, channel i + d/2) of heads (B, T, H, d) by their position's angles."""
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


class Attention(nn.Module):
    """Causal self-attention in which H / K query heads share each key-value head."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.layer, self.head_dim = layer, config.head_dim
        width, kv_width = config.hidden_size, config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, kv_width, bias=False)
        self.v_proj = nn.Linear(width, kv_width, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)
        self.q_norm = nn.RMSNorm(self.head_dim, config.rms_norm_eps)
        self.k_norm = nn.RMSNorm(self.head_dim, config.rms_norm_eps)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor | None, cache: Cache | None) -> Tensor:
        """Mix (B, T, D) over the tokens seen; without a mask every token sees all up to itself."""
        q, k, v = (self._heads(proj(x)) for proj in (self.q_proj, self.k_proj, self.v_proj))  # (B, T, H or K, d)
        q, k = rotate(self.q_norm(q), *turn), rotate(self.k_norm(k), *turn)
        q, k, v = (heads.transpose(1, 2) for heads in (q, k, v))  # (B, H or K, T, d)
        if cache is not None:
            k, v = cache.update(k, v, self.layer)  # (B, K, S, d)
        causal = mask is None and x.shape[1] > 1  # a single new token may look at everything cached
        y = F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal, enable_gqa=True)  # (B, H, T, d)
        return self.o_proj(y.transpose(1, 2).flatten(2))  # (B, T, D)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim))


class SwiGLU(nn.Module):
    """Feed-forward layer of gated linear units."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, D), each token for itself."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(GradientCheckpointingLayer):
    """One decoder layer: attention, then feed-forward, each added to the residual stream."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGLU(config)

    def forward(
        self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor | None, past_key_values: Cache | None = None
    ) -> Tensor:
        """(B, T, D) to (B, T, D); the cache goes by the name under which gradient checkpointing takes it away."""
        x = x + self.self_attn(self.input_layernorm(x), turn, mask, past_key_values)
        return x + self.mlp(self.post_attention_layernorm(x))


class GPTPreTrainedModel(PreTrainedModel):
    """What transformers needs to know to initialise, save, shard and checkpoint the models below."""

    config_class = GPTConfig
    config: GPTConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["Block"]
    _skip_keys_device_placement = ["past_key_values"]


class GPTModel(GPTPreTrainedModel):
    """The decoder without a head."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,  # (B, T)
        attention_mask: Tensor | None = None,  # (B, S), 0 at padding
        position_ids: Tensor | None = None,  # (B, T)
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,  # (B, T, D), in place of input_ids
        use_cache: bool = False,
        output_hidden_states: bool = False,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Residual stream after the last norm, (B, T, D); hidden states are the L block inputs and that last one."""
        x = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds  # (B, T, D)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        if position_ids is None:
            seen = past_key_values.get_seq_length() if past_key_values is not None else 0
            position_ids = torch.arange(seen, seen + x.shape[1], device=x.device)[None]
        # None when nothing is padded: attention is then plainly causal, which is the fast path.
        mask = create_causal_mask(self.config, x, attention_mask, past_key_values, position_ids)  # (B, 1, T, S)
        cos, sin = rotation(position_ids, self.config)
        turn = cos.to(x.dtype), sin.to(x.dtype)
        states = [x]
        for layer in self.layers:
            x = layer(x, turn, mask, past_key_values=past_key_values)
            states.append(x)
        x = self.norm(x)
        return BaseModelOutputWithPast(
            last_hidden_state=x,
            past_key_values=past_key_values,
            hidden_states=(*states[:-1], x) if output_hidden_states else None,
        )


class GPTForCausalLM(GPTPreTrainedModel, GenerationMixin):
    """The decoder with its embedding, turned round, as the head."""

    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config)
        self.model = GPTModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,  # (B, T)
        attention_mask: Tensor | None = None,  # (B, S), 0 at padding
        position_ids: Tensor | None = None,  # (B, T)
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,  # (B, T, D), in place of input_ids
        labels: Tensor | None = None,  # (B, T), -100 where there is no loss
        use_cache: bool = False,
        output_hidden_states: bool = False,
        logits_to_keep: int = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits (B, T, V), of the last `logits_to_keep` tokens if that is not 0, and the loss if there are labels."""
        out = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            output_hidden_states=output_hidden_states,
        )
        logits = self.lm_head(out.last_hidden_state[:, -logits_to_keep:])  # (B, T, V)
        loss = None if labels is None else self.loss_function(logits, labels, self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss, logits=logits, past_key_values=out.past_key_values, hidden_states=out.hidden_states
        )


AutoConfig.register(GPTConfig.model_type, GPTConfig)
AutoModel.register(GPTConfig, GPTModel)
AutoModelForCausalLM.register(GPTConfig, GPTForCausalLM)
