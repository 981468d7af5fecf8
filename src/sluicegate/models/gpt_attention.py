"""Causal self-attention (arXiv 1706.03762), written out step by step and as one kernel.

Shapes: B rows, T new tokens, S tokens seen (cached and new), D channels, H query heads, K key-value heads, d = D / H.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.cache_utils import Cache

from sluicegate.models.gpt_config import GPTConfig
from sluicegate.models.rope import Turn, rotate


def plain_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float) -> Tensor:
    """softmax(q·kᵀ / √d + mask) · v of queries (B, H, T, d) over keys and values (B, K, S, d); (B, H, T, d).

    Args:
        mask: (B, 1, T, S), 0 where a token may look and a very low number where not.
    """
    assert mask is not None, "transformers leaves the mask out for the fused kernel alone"
    k, v = (heads.repeat_interleave(q.shape[1] // k.shape[1], 1) for heads in (k, v))  # (B, H, S, d)
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + mask  # (B, H, T, S)
    weights = scores.softmax(-1, dtype=torch.float32).to(q.dtype)  # each token's sum to 1
    return F.dropout(weights, dropout) @ v


def fused_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float) -> Tensor:
    """The same in one kernel that never holds all the scores; without a mask a token sees all up to itself.

    Args:
        mask: (B, 1, T, S), True where a token may look, or as `plain_attention` has it.
    """
    causal = mask is None and q.shape[2] > 1  # a single new token may look at everything cached
    return F.scaled_dot_product_attention(q, k, v, mask, dropout, causal, enable_gqa=True)


ATTENTION = {"eager": plain_attention, "sdpa": fused_attention}
"""Both, by the names transformers has for them: `from_pretrained(folder, attn_implementation="eager")`."""


def make_norm(config: GPTConfig, width: int) -> nn.Module:
    """RMSNorm (arXiv 1910.07467) or LayerNorm (arXiv 1607.06450) over the last `width` channels."""
    if config.norm == "rms":
        return nn.RMSNorm(width, config.rms_norm_eps)
    return nn.LayerNorm(width, config.rms_norm_eps, bias=config.bias)


class Writer(nn.Linear):
    """A linear layer whose output is added to the residual stream; `depth_init` knows it by its class."""


class Attention(nn.Module):
    """Self-attention in which H / K query heads share each key-value head (arXiv 2305.13245)."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.config, self.layer = config, layer
        self.head_dim, self.dropout = config.head_dim, config.dropout
        width, kv_width = config.hidden_size, config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(width, width, config.bias)
        self.k_proj = nn.Linear(width, kv_width, config.bias)
        self.v_proj = nn.Linear(width, kv_width, config.bias)
        self.o_proj = Writer(width, width, config.bias)
        self.q_norm = make_norm(config, config.head_dim) if config.qk_norm else nn.Identity()
        self.k_norm = make_norm(config, config.head_dim) if config.qk_norm else nn.Identity()

    def forward(self, x: Tensor, turn: Turn | None, mask: Tensor | None, cache: Cache | None) -> Tensor:
        """Mix (B, T, D) over the tokens seen; `turn` is None where positions are learned."""
        q, k, v = (self._heads(proj(x)) for proj in (self.q_proj, self.k_proj, self.v_proj))  # (B, T, H or K, d)
        q, k = self.q_norm(q), self.k_norm(k)
        if turn is not None:
            q, k = rotate(q, *turn), rotate(k, *turn)
        q, k, v = (heads.transpose(1, 2) for heads in (q, k, v))  # (B, H or K, T, d)
        if cache is not None:
            k, v = cache.update(k, v, self.layer)  # (B, K, S, d)
        attend = ATTENTION[self.config._attn_implementation]
        y = attend(q, k, v, mask, self.dropout if self.training else 0.0)  # (B, H, T, d)
        return self.o_proj(y.transpose(1, 2).flatten(2))  # (B, T, D)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim))
