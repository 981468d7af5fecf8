"""A trash gate stands in the MLP's way, and out of it again."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from sluicegate.models.gates.base import Tokens, attach, detach, token_logits
from sluicegate.models.gates.trash import BLOCK, TrashGate, let_through
from sluicegate.models.layers import decoder_layers, mlp_of
from sluicegate.testing import Family
from tiny_architectures import tiny_architecture

IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15, 16]])
OPEN = 100.0


def gated(model: Any, bias: float, noise: bool) -> dict[int, TrashGate]:
    gates = {0: TrashGate(32, noise), 1: TrashGate(32, noise)}
    for gate in gates.values():
        torch.nn.init.constant_(gate.bias, bias)
    attach(model, gates)
    return gates


@torch.no_grad()
def logits_of(model: Any, ids: Tensor = IDS) -> Tensor:
    return model(ids, use_cache=False).logits


@pytest.mark.parametrize("noise", [False, True])
def test_open_gates_give_the_bases_output_and_closed_ones_come_off_without_a_trace(
    noise: bool, make_model: Any
) -> None:
    model = make_model("Llama", 99)
    bare = logits_of(model)
    gated(model, OPEN, noise)
    torch.testing.assert_close(logits_of(model), bare, rtol=0, atol=0)
    detach(model)
    gated(model, -OPEN, noise)
    assert not torch.allclose(logits_of(model), bare, atol=1e-3)
    detach(model)
    assert torch.equal(logits_of(model), bare)


def test_a_closed_gate_without_noise_lets_nothing_through(make_model: Any) -> None:
    model = make_model("Llama", 99)
    gated(model, -OPEN, False)
    closed = logits_of(model)
    detach(model)
    for number in (0, 1):
        torch.nn.init.zeros_(mlp_of(model, number).down_proj.weight)
    torch.testing.assert_close(closed, logits_of(model))


def test_noise_is_as_strong_as_the_output_and_another_one_in_every_layer() -> None:
    y = torch.randn(2, 40, 512) * torch.linspace(0.1, 5, 40)[:, None]
    closed = torch.zeros(2, 40)
    one, other = (let_through(y, closed, torch.tensor([seed]), fresh=False) for seed in (1, 2))
    torch.testing.assert_close(one.std(-1), y.std(-1), rtol=0.2, atol=0)
    overlap = torch.nn.functional.cosine_similarity(one, other, dim=-1)
    assert overlap.abs().max() < 0.25


def test_a_row_meets_the_same_noise_alone_and_in_a_longer_batch() -> None:
    long = torch.randn(3, BLOCK + 20, 8)
    short, g = long[1:2, :13], torch.full((3, BLOCK + 20), 0.3)
    seed = torch.tensor([7])
    alone = let_through(short, g[1:2, :13], seed, fresh=False)
    assert torch.equal(alone, let_through(long, g, seed, fresh=False)[1:2, :13])
    assert torch.equal(alone, let_through(short, g[1:2, :13], seed, fresh=False))


def test_noise_is_fresh_in_training_and_fixed_afterwards(make_model: Any) -> None:
    model = make_model("Llama", 99)
    gated(model, 0.0, True)
    assert torch.equal(logits_of(model), logits_of(model))
    model.train()
    assert not torch.equal(logits_of(model), logits_of(model))
    model.eval()
    torch.testing.assert_close(logits_of(model, IDS[:, :4]), logits_of(model)[:, :4])
    torch.testing.assert_close(logits_of(model, IDS[1:]), logits_of(model)[1:])


def test_the_rest_of_a_tuple_is_left_alone() -> None:
    y, scores = torch.randn(1, 3, 4), torch.randn(3, 2)
    out = let_through((y, scores), torch.full((1, 3), 0.5), None, fresh=False)
    assert torch.equal(out[0], 0.5 * y)
    assert out[1] is scores


@pytest.mark.parametrize("noise", [False, True])
def test_gradients_are_the_same_under_activation_checkpointing(noise: bool, make_model: Any) -> None:
    model = make_model("Qwen3", 99).requires_grad_(False).train()
    gates = gated(model, 0.0, noise)

    def step() -> list[Tensor]:
        torch.manual_seed(3)
        model.zero_grad()
        loss = model(IDS, labels=IDS, use_cache=False).loss
        tokens = Tokens(torch.tensor([0, 1]), torch.tensor([3, 5]), torch.empty(2, 0))
        (loss + token_logits(list(gates.values()), tokens).mean()).backward()
        return [p.grad.clone() for gate in gates.values() for p in gate.parameters() if p.grad is not None]

    plain = step()
    assert len(plain) == 4
    assert all(p.abs().max() > 0 for p in plain)
    model.activation_checkpointing_enable({"use_reentrant": False})
    torch.testing.assert_close(step(), plain)
    assert all(p.grad is None for n, p in model.named_parameters() if "quality_gate" not in n)


@pytest.mark.parametrize("family", get_args(Family))
def test_every_architecture(family: Family) -> None:
    model = tiny_architecture(family)
    width, bare = model.config.get_text_config().hidden_size, logits_of(model)
    for bias, changed in ((OPEN, False), (0.0, True)):
        gates = {n: TrashGate(width, noise=True) for n in range(len(decoder_layers(model)))}
        for gate in gates.values():
            torch.nn.init.constant_(gate.bias, bias)
        attach(model, gates)
        assert torch.equal(logits_of(model), bare) is not changed
        torch.testing.assert_close(logits_of(model, IDS[1:]), logits_of(model)[1:])
        detach(model)
    assert torch.equal(logits_of(model), bare)
