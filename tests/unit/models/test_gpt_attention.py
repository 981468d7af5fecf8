from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from sluicegate.models.gpt_attention import Attention, fused_attention, make_norm, plain_attention
from sluicegate.models.gpt_config import GPTConfig
from sluicegate.models.rope import rotate, rotation

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_it_is_softmax_of_queries_times_keys_over_values(kv_heads: int) -> None:
    config = GPTConfig(**SIZES, num_key_value_heads=kv_heads, attn_implementation="sdpa")
    attention = Attention(config, layer=0).eval()
    x, turn = torch.randn(2, 7, 32), rotation(torch.arange(7)[None], config.rotary, 8, 256)

    def heads(proj: nn.Linear) -> Tensor:
        return proj(x).view(2, 7, -1, 8)

    def unit(heads: Tensor) -> Tensor:
        return heads / heads.square().mean(-1, keepdim=True).sqrt()

    q, k = (rotate(unit(heads(proj)), *turn) for proj in (attention.q_proj, attention.k_proj))
    k, v = (h.repeat_interleave(4 // kv_heads, dim=2) for h in (k, heads(attention.v_proj)))
    weights = torch.einsum("bthd,bshd->bhts", q, k) / math.sqrt(8)
    weights = weights.masked_fill(torch.ones(7, 7).triu(1).bool(), -math.inf).softmax(-1)
    by_hand = attention.o_proj(torch.einsum("bhts,bshd->bthd", weights, v).flatten(2))
    torch.testing.assert_close(attention(x, turn, None, None), by_hand)
    assert attention.k_proj.weight.shape == (8 * kv_heads, 32)


@pytest.mark.parametrize("kv_heads", [1, 4])
@pytest.mark.parametrize("seen", [0, 5])
def test_plain_and_fused_are_the_same(kv_heads: int, seen: int) -> None:
    q = torch.randn(2, 4, 6, 8)
    k, v = torch.randn(2, 2, kv_heads, 6 + seen, 8)
    look = torch.ones(6, 6 + seen).tril(seen).bool().expand(2, 1, -1, -1).clone()
    look[1, :, 2:, 1] = False
    lowest = torch.zeros(look.shape).masked_fill(~look, torch.finfo().min)
    torch.testing.assert_close(plain_attention(q, k, v, lowest, 0.0), fused_attention(q, k, v, look, 0.0))


def test_without_a_mask_a_token_sees_all_up_to_itself() -> None:
    q, k, v = torch.randn(3, 2, 4, 6, 8)
    causal = torch.zeros(6, 6).masked_fill(torch.ones(6, 6).triu(1).bool(), torch.finfo().min)
    torch.testing.assert_close(fused_attention(q, k, v, None, 0.0), plain_attention(q, k, v, causal, 0.0))
    last = fused_attention(q[:, :, -1:], k, v, None, 0.0)
    torch.testing.assert_close(last, plain_attention(q, k, v, causal, 0.0)[:, :, -1:])


def test_dropout_sets_weights_to_nothing_and_keeps_their_mean() -> None:
    q, k, v = torch.zeros(1, 1, 1, 8), torch.zeros(1, 1, 4000, 8), torch.ones(1, 1, 4000, 8)
    for attend in (plain_attention, fused_attention):
        torch.manual_seed(0)
        y = attend(q, k, v, torch.zeros(1, 1, 1, 4000), 0.25)
        assert y.mean().item() == pytest.approx(1.0, abs=0.05)
        assert not torch.allclose(y, torch.ones(8))


def test_half_precision_scores_are_summed_in_full() -> None:
    q, k, v = (x.bfloat16() for x in torch.randn(3, 1, 2, 300, 8))
    mask = torch.zeros(1, 1, 300, 300)
    exact = plain_attention(q.float(), k.float(), v.float(), mask, 0.0)
    got = plain_attention(q, k, v, mask.bfloat16(), 0.0)
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got.float(), exact, atol=5e-3, rtol=5e-2)


def test_norms() -> None:
    x = torch.randn(5, 16) * 3 + 1
    rms, layer = (make_norm(GPTConfig(norm=kind, bias=True), 16) for kind in ("rms", "layer"))
    torch.testing.assert_close(rms(x), x / x.square().mean(-1, keepdim=True).sqrt())
    torch.testing.assert_close(layer(x), (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True, correction=0))
    assert [len(list(norm.parameters())) for norm in (rms, layer)] == [1, 2]
    assert len(list(make_norm(GPTConfig(norm="layer"), 16).parameters())) == 1
