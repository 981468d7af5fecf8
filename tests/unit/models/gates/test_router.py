"""A mixture's routers are swapped for warmed ones, and swapped back bit by bit."""

from __future__ import annotations

import copy
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from sluicegate.models.gates.base import Tokens, attach, detach
from sluicegate.models.gates.router import RouterGate, TrashRouterGate, router_of
from sluicegate.models.layers import mlp_of
from tiny_architectures import tiny_architecture

Mixture = Literal["qwen3_moe", "olmoe"]
mixtures = pytest.mark.parametrize("family", ["qwen3_moe", "olmoe"])
IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 15, 16]])


def routers(model: Any) -> list[Tensor]:
    return [router_of(mlp_of(model, n)).weight for n in (0, 1)]


@torch.no_grad()
def logits_of(model: Any) -> Tensor:
    return model(IDS, use_cache=False).logits


@mixtures
def test_the_bases_own_routers_route_as_ever(family: Mixture) -> None:
    model = tiny_architecture(family)
    bare = logits_of(model)
    attach(model, {n: RouterGate(w) for n, w in enumerate(routers(model))})
    assert torch.equal(logits_of(model), bare)


@mixtures
def test_warmed_routers_route_instead_and_come_off_without_a_trace(family: Mixture) -> None:
    model = tiny_architecture(family)
    bare, state = logits_of(model), {n: p.clone() for n, p in model.state_dict().items()}
    warmed = [torch.randn_like(w) for w in routers(model)]
    other = copy.deepcopy(model)
    for n, weight in enumerate(warmed):
        with torch.no_grad():
            router_of(mlp_of(other, n)).weight.copy_(weight)
    attach(model, {n: RouterGate(w) for n, w in enumerate(warmed)})
    assert torch.equal(logits_of(model), logits_of(other))
    assert not torch.equal(logits_of(model), bare)
    assert all(torch.equal(model.state_dict()[n], p) for n, p in state.items()), "the base's stay where they are"
    detach(model)
    assert torch.equal(logits_of(model), bare)
    again = model.state_dict()
    assert list(again) == list(state)
    assert all(torch.equal(again[n], p) for n, p in state.items())


@mixtures
def test_g_is_the_share_of_probability_of_the_chosen_experts(family: Mixture) -> None:
    model = tiny_architecture(family)
    gates = {n: RouterGate(w) for n, w in enumerate(routers(model))}
    attach(model, gates)
    with torch.no_grad():
        out = model(IDS, output_router_logits=True, use_cache=False)
    row, position = torch.tensor([0, 1]), torch.tensor([3, 5])
    for gate, logits in zip(gates.values(), out.router_logits, strict=True):
        chosen = logits.softmax(-1).topk(2).values.sum(-1).view(2, 6)  # (B, T)
        z = gate.token_logits(Tokens(row, position, torch.empty(2, 0)))
        torch.testing.assert_close(z.sigmoid(), chosen[row, position])


@mixtures
def test_only_routers_learn_from_the_loss(family: Mixture) -> None:
    model = tiny_architecture(family).requires_grad_(False).train()
    gates = {n: TrashRouterGate(w) for n, w in enumerate(routers(model))}
    attach(model, gates)
    model.activation_checkpointing_enable({"use_reentrant": False})
    model(IDS, labels=IDS, use_cache=False).loss.backward()
    assert all(gate.weight.grad.abs().max() > 0 for gate in gates.values())  # type: ignore[union-attr]
    assert {n for n, p in model.named_parameters() if p.grad is not None} == {
        f"model.layers.{n}.mlp.quality_gate.weight" for n in (0, 1)
    }


@mixtures
@pytest.mark.parametrize("noise", [False, True])
def test_in_the_way_of_the_experts(family: Mixture, noise: bool) -> None:
    model = tiny_architecture(family)
    bare = logits_of(model)
    sure = [1e4 * w for w in routers(model)]  # all probability on the first expert
    attach(model, {n: RouterGate(w) for n, w in enumerate(sure)})
    routed = logits_of(model)
    detach(model)
    attach(model, {n: TrashRouterGate(w, noise) for n, w in enumerate(sure)})
    torch.testing.assert_close(logits_of(model), routed, rtol=0, atol=0)
    detach(model)
    attach(model, {n: TrashRouterGate(w, noise) for n, w in enumerate(routers(model))})
    assert not torch.allclose(logits_of(model), bare, atol=1e-3)
    detach(model)
    assert torch.equal(logits_of(model), bare)


def test_half_precision_bases_are_routed_in_their_own(make_model: Any) -> None:
    model = tiny_architecture("qwen3_moe").to(torch.bfloat16)
    bare = logits_of(model)
    gates = {n: RouterGate(w) for n, w in enumerate(routers(model))}
    assert gates[0].weight.dtype == torch.float32
    attach(model, gates)
    assert torch.equal(logits_of(model), bare)


def test_other_mlps_have_no_router(make_model: Any) -> None:
    assert router_of(mlp_of(make_model("Qwen3", 99), 0)) is None
