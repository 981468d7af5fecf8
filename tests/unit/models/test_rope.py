from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.hunyuan_v1_dense.configuration_hunyuan_v1_dense import HunYuanDenseV1Config
from transformers.models.hunyuan_v1_dense.modeling_hunyuan_v1_dense import HunYuanDenseV1RotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from sluicegate.models.rope import METHODS, Rope, rotate, rotation, temperature

TRAINED = 256
LENGTHS = [7, TRAINED, TRAINED + 1, 700, 4096]


def ours(rope: Rope, dim: int, length: int) -> Tensor:
    return METHODS[rope.method](rope, dim, TRAINED, torch.tensor([[[[length]]]])).flatten()


def theirs(dim: int, method: str, length: int | None = None, **settings: Any) -> tuple[Tensor, float]:
    """Frequencies and temperature of transformers."""
    told = {"rope_type": method, "rope_theta": 10_000.0, "original_max_position_embeddings": TRAINED} | settings
    sizes = {"hidden_size": 4 * dim, "num_attention_heads": 4, "max_position_embeddings": TRAINED}
    config = LlamaConfig(**sizes, rope_parameters=told)
    if method == "default":
        rotary = LlamaRotaryEmbedding(config)
        return rotary.inv_freq, rotary.attention_scaling
    return ROPE_INIT_FUNCTIONS[method](config, torch.device("cpu"), seq_len=length)


def close(rope: Rope, dim: int, length: int, want: tuple[Tensor, float]) -> None:
    torch.testing.assert_close(ours(rope, dim, length), want[0], atol=1e-7, rtol=1e-5)
    assert temperature(rope) == pytest.approx(want[1], abs=1e-5)


every_size = pytest.mark.parametrize(("dim", "theta"), [(8, 10_000.0), (24, 500.0), (64, 500_000.0), (128, 10_000.0)])


@every_size
def test_without_a_method_they_are_plain(dim: int, theta: float) -> None:
    close(Rope(theta=theta), dim, 900, theirs(dim, "default", rope_theta=theta))


@every_size
@pytest.mark.parametrize("factor", [1.0, 2.5, 4.0])
def test_linear_is_that_of_transformers(dim: int, theta: float, factor: float) -> None:
    rope = Rope(method="linear", factor=factor, theta=theta)
    close(rope, dim, 900, theirs(dim, "linear", factor=factor, rope_theta=theta))


@every_size
@pytest.mark.parametrize("factor", [1.0, 2.5, 4.0, 32.0])
def test_yarn_is_that_of_transformers(dim: int, theta: float, factor: float) -> None:
    rope = Rope(method="yarn", factor=factor, theta=theta)
    close(rope, dim, 900, theirs(dim, "yarn", factor=factor, rope_theta=theta))


@every_size
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_dynamic_ntk_is_that_of_transformers_at_every_length(
    dim: int, theta: float, length: int, factor: float
) -> None:
    rope = Rope(method="dynamic_ntk", factor=factor, theta=theta)
    close(rope, dim, length, theirs(dim, "dynamic", length, factor=factor, rope_theta=theta))


@every_size
def test_ntk_with_an_alpha_is_hunyuans(dim: int, theta: float) -> None:
    told = {"rope_type": "dynamic", "alpha": 6.0, "factor": 1.0, "rope_theta": theta}
    sizes = {"hidden_size": 4 * dim, "num_attention_heads": 4, "head_dim": dim}
    config = HunYuanDenseV1Config(**sizes, rope_parameters=told)
    close(Rope(method="ntk", alpha=6.0, theta=theta), dim, 900, (HunYuanDenseV1RotaryEmbedding(config).inv_freq, 1.0))


def test_alpha_is_how_much_slower_ntk_turns_the_slowest_pair() -> None:
    plain, stretched = ours(Rope(), 16, 1), ours(Rope(method="ntk", alpha=5.0), 16, 1)
    assert plain[0] == stretched[0]
    assert (plain[-1] / stretched[-1]).item() == pytest.approx(5.0, rel=1e-4)
    assert torch.equal(stretched, ours(Rope(method="ntk", factor=5.0), 16, 1)), "left out, it is the factor"


def test_the_original_length_goes_before_the_context() -> None:
    rows = torch.arange(400)[None]
    for method in ("dynamic_ntk", "yarn"):
        told, context = Rope(method=method, factor=2.0, original_length=TRAINED), Rope(method=method, factor=2.0)
        assert torch.equal(rotation(rows, told, 16, 1024)[0], rotation(rows, context, 16, TRAINED)[0])
        assert not torch.equal(rotation(rows, context, 16, 1024)[0], rotation(rows, context, 16, TRAINED)[0])


def test_dynamic_ntk_turns_each_row_by_its_own_length() -> None:
    rope = Rope(method="dynamic_ntk", factor=4.0)
    short, long = torch.arange(600).clamp(max=90), torch.arange(600)
    both = rotation(torch.stack((short, long)), rope, 16, TRAINED)[0]  # (2, T, 1, d)
    assert torch.equal(both[0], rotation(short[None], Rope(), 16, TRAINED)[0][0])
    assert torch.equal(both[1], rotation(long[None], rope, 16, TRAINED)[0][0])
    assert not torch.allclose(both[1], rotation(long[None], Rope(), 16, TRAINED)[0][0])


@pytest.mark.parametrize("method", METHODS)
def test_turning_is_transformers_turning(method: str) -> None:
    """Signed sines and a roll are the half-rotation with a minus."""
    rope, x, at = Rope(method=method, factor=4.0), torch.randn(2, 9, 3, 16), torch.arange(300, 309)[None]
    frequency = METHODS[method](rope, 16, TRAINED, torch.tensor([[[[309]]]])).flatten()
    angle = torch.cat([at[0, :, None] * frequency] * 2, -1)[:, None]  # (T, 1, d)
    turned = torch.cat((-x[..., 8:], x[..., :8]), -1)
    want = (x * angle.cos() + turned * angle.sin()) * temperature(rope)
    torch.testing.assert_close(rotate(x, *rotation(at, rope, 16, TRAINED)), want)


def test_rotation_keeps_lengths_and_sees_only_distances() -> None:
    q, k = torch.randn(1, 1, 4, 8), torch.randn(1, 1, 4, 8)

    def at(x: Tensor, position: int) -> Tensor:
        return rotate(x, *rotation(torch.tensor([[position]]), Rope(), 8, TRAINED))

    torch.testing.assert_close(at(q, 9).norm(dim=-1), q.norm(dim=-1))
    torch.testing.assert_close((at(q, 9) * at(k, 4)).sum(-1), (at(q, 25) * at(k, 20)).sum(-1))
    assert not torch.allclose((at(q, 9) * at(k, 4)).sum(-1), (at(q, 9) * at(k, 5)).sum(-1))
