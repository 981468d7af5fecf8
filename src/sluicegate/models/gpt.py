"""A GPT from scratch: a decoder to pretrain, tune and gate on a CPU, and to read in one sitting.

Pre-norm blocks (arXiv 2002.04745) of attention, in gpt_attention.py, and a feed-forward layer, between an embedding and
a head tied to it (arXiv 1608.05859). GPTConfig chooses the parts: by itself today's, RMSNorm, rotary positions, SwiGLU,
and with other settings GPT-2's, LayerNorm, learned positions, GELU. Modules carry the names Qwen3 gave them, so that
LoRA targets and weight tools fit. Importing this file makes the Auto classes know `sluice_gpt`.

Shapes: B rows, T new tokens, S tokens seen (cached and new), D channels, V tokens of the vocabulary.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, GenerationMixin, PreTrainedModel, initialization
from transformers.cache_utils import Cache, DynamicCache
from transformers.masking_utils import create_causal_mask
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.utils.generic import can_return_tuple

from sluicegate.errors import DataError
from sluicegate.models.gpt_attention import Attention, Writer, make_norm
from sluicegate.models.gpt_config import GPTConfig
from sluicegate.models.head_loss import head_loss
from sluicegate.models.rope import Turn, rotation


class SwiGLU(nn.Module):
    """Feed-forward layer of gated linear units (arXiv 2002.05202)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, config.bias)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, config.bias)
        self.down_proj = Writer(config.intermediate_size, config.hidden_size, config.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, D), each token for itself."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class GELU(nn.Module):
    """Feed-forward layer of Gaussian error linear units (arXiv 1606.08415), by their tanh formula as in GPT-2."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, config.bias)
        self.down_proj = Writer(config.intermediate_size, config.hidden_size, config.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, D), each token for itself."""
        return self.down_proj(F.gelu(self.up_proj(x), approximate="tanh"))


class Block(GradientCheckpointingLayer):
    """One decoder layer: attention, then feed-forward, each added to the residual stream."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = make_norm(config, config.hidden_size)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = make_norm(config, config.hidden_size)
        self.mlp = SwiGLU(config) if config.mlp == "swiglu" else GELU(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        turn: Turn | None,
        mask: Tensor | None,
        past_key_values: Cache | None = None,  # named as gradient checkpointing knows it, which takes it away
    ) -> Tensor:
        """(B, T, D) to (B, T, D)."""
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), turn, mask, past_key_values))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


class GPTPreTrainedModel(PreTrainedModel):
    """What transformers needs to know to initialise, save, shard and checkpoint the models below."""

    config_class = GPTConfig
    config: GPTConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["Block"]
    _skip_keys_device_placement = ["past_key_values"]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """With `depth_init` the 2L writers are √(2L) smaller: their sum is then no larger than one would be."""
        super()._init_weights(module)
        if self.config.depth_init and isinstance(module, Writer):
            std = self.config.initializer_range / math.sqrt(2 * self.config.num_hidden_layers)
            initialization.normal_(module.weight, std=std)


class GPTModel(GPTPreTrainedModel):
    """The decoder without a head."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config)
        self.rope = config.rotary if config.positions == "rotary" else None
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        if self.rope is None:
            self.embed_positions = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.num_hidden_layers))
        self.norm = make_norm(config, config.hidden_size)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,  # (B, T)
        attention_mask: Tensor | None = None,  # (B, S), 0 at padding
        position_ids: Tensor | None = None,  # (B, T); documents that share a row each begin at 0
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,  # (B, T, D), in place of input_ids
        use_cache: bool = False,
        output_hidden_states: bool = False,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Residual stream after the last norm, (B, T, D); hidden states are the L block inputs and that last one.

        Raises:
            DataError: the rows are longer than the positions learned.
        """
        x = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds  # (B, T, D)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        # None when nothing is padded or packed: attention is then plainly causal, which is the fast path.
        mask = create_causal_mask(self.config, x, attention_mask, past_key_values, position_ids)  # (B, 1, T, S)
        seen = 0 if past_key_values is None else past_key_values.get_seq_length()
        if position_ids is None:
            position_ids = _positions(x, attention_mask, seen)
        x, turn = self._place(x, position_ids, seen)
        states: tuple[Tensor, ...] = ()
        for layer in self.layers:
            states += (x,) if output_hidden_states else ()
            x = layer(x, turn, mask, past_key_values=past_key_values)
        x = self.norm(x)
        return BaseModelOutputWithPast(
            last_hidden_state=x,
            past_key_values=past_key_values,
            hidden_states=(*states, x) if output_hidden_states else None,
        )

    def _place(self, x: Tensor, position_ids: Tensor, seen: int) -> tuple[Tensor, Turn | None]:
        """Tell the tokens where they stand: in the embedding now, or by how attention is to turn queries and keys."""
        length, most = seen + x.shape[1], self.config.max_position_embeddings
        if self.rope is not None:
            cos, sin = rotation(position_ids, self.rope, self.config.head_dim, most)  # (B or 1, T, 1, d)
            return self.dropout(x), (cos.to(x.dtype), sin.to(x.dtype))
        if length > most and int(position_ids.max()) >= most:  # packed documents each begin at 0
            hint = "shorten the rows, or pretrain with positions: rotary"
            raise DataError(f"rows of {length} tokens are longer than the {most} positions the model has learned", hint)
        return self.dropout(x + self.embed_positions(position_ids)), None


def _positions(x: Tensor, attention_mask: Tensor | None, seen: int) -> Tensor:
    """Of new tokens (B, T, D) after `seen` others, each row counted from its first that is no padding; (B or 1, T)."""
    until = seen + x.shape[1]
    if attention_mask is None or attention_mask.dim() != 2:
        return torch.arange(seen, until, device=x.device)[None]
    return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)[:, seen:until]


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
        next_ids: Tensor | None = None,  # (B, T), the token after each, -100 where there is no loss
        use_cache: bool = False,
        output_hidden_states: bool = False,
        logits_to_keep: int = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits (B, T, V), of the last `logits_to_keep` tokens if that is not 0, and the loss if there are labels.

        With `next_ids` the sum of their losses instead, and no logits.
        """
        seen = {"attention_mask": attention_mask, "position_ids": position_ids, "past_key_values": past_key_values}
        wanted = {"use_cache": use_cache, "output_hidden_states": output_hidden_states}
        out = self.model(input_ids=input_ids, inputs_embeds=inputs_embeds, **seen, **wanted)
        if next_ids is not None:
            tokens = out.last_hidden_state.flatten(0, 1)  # (B·T, D)
            return CausalLMOutputWithPast(loss=head_loss(tokens, self.lm_head.weight, next_ids.flatten()))
        logits = self.lm_head(out.last_hidden_state[:, -logits_to_keep:])  # (B, T, V)
        loss = None if labels is None else self.loss_function(logits, labels, self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss, logits=logits, past_key_values=out.past_key_values, hidden_states=out.hidden_states
        )


AutoConfig.register(GPTConfig.model_type, GPTConfig)
AutoModel.register(GPTConfig, GPTModel)
AutoModelForCausalLM.register(GPTConfig, GPTForCausalLM)
