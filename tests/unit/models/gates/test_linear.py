"""A linear gate observes: nothing it does shows in the model."""

from __future__ import annotations

from typing import Any

import torch

from sluicegate.models.gates.base import Tokens, attach, detach, token_logits
from sluicegate.models.gates.linear import LinearGate

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])
NOTHING = torch.empty(1, 0)


def test_logits_stay_bit_identical_and_only_the_gates_get_a_gradient_from_g(make_model: Any) -> None:
    model = make_model("Qwen3", 99)
    with torch.no_grad():
        before = model(IDS).logits
    gates = {0: LinearGate(32), 1: LinearGate(32)}
    attach(model, gates)
    logits = model.requires_grad_(False)(IDS).logits
    assert torch.equal(logits, before)
    for gate in gates.values():
        gate.requires_grad_(True)
    model(IDS)
    token_logits(list(gates.values()), Tokens(torch.tensor([0]), torch.tensor([3]), NOTHING)).mean().backward()
    assert {n for n, p in model.named_parameters() if p.grad is not None} == {
        f"model.layers.{i}.mlp.quality_gate.{n}" for i in (0, 1) for n in ("weight", "bias")
    }
    detach(model)
    with torch.no_grad():
        assert torch.equal(model(IDS).logits, before)
