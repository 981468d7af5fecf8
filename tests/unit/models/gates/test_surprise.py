"""The surprise gate's arithmetic."""

from __future__ import annotations

import copy
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sluicegate.models.gates.base import Tokens, attach, pooled, token_logits
from sluicegate.models.gates.surprise import SurpriseGate, soft_min, surprise_features
from sluicegate.models.layers import decoder_layers

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])


def test_the_hook_projects_what_enters_the_mlp(make_model: Any) -> None:
    model = make_model("Llama", 99)
    gate = SurpriseGate(32, 4, 8)
    attach(model, {1: gate})
    entered: list[torch.Tensor] = []
    decoder_layers(model)[1].mlp.register_forward_pre_hook(lambda mlp, args: entered.append(args[0]))
    with torch.no_grad():
        model(IDS)
    assert gate.projected is not None
    torch.testing.assert_close(gate.projected[0], entered[0] @ gate.now.T)
    torch.testing.assert_close(gate.projected[1], entered[0] @ gate.before.T)


def test_a_score_reads_the_state_at_the_token_and_at_the_one_before() -> None:
    torch.manual_seed(0)
    gate, x, surprise = SurpriseGate(6, 3, 4), torch.randn(1, 5, 6), torch.randn(2, 4)
    gate.projected = gate.project(x)
    row, position = torch.tensor([0, 0]), torch.tensor([2, 4])
    z = [
        gate.out @ nn.functional.silu(gate.now @ x[0, t] + gate.before @ x[0, t - 1] + gate.surprise @ s + gate.bias)
        for t, s in zip((2, 4), surprise, strict=True)
    ]
    wanted = -torch.stack([-z[0], -z[1]]).exp().mean().log()
    own = token_logits([gate], Tokens(row, position, surprise))  # (1, T)
    torch.testing.assert_close(pooled([gate], own, row, 1)[0, 0], wanted)


def test_folding_gives_the_logits_of_standardised_inputs() -> None:
    torch.manual_seed(0)
    gate = SurpriseGate(6, 3, 4)
    plain = copy.deepcopy(gate)
    x, y, s = torch.randn(7, 6) * 3 + 1, torch.randn(7, 6), torch.randn(7, 4) * 2
    state, surprise = (torch.randn(6), torch.rand(6) + 0.1), (torch.randn(4), torch.rand(4) + 0.1)
    gate.fold(state, surprise)
    scaled = [(v - m) / d for v, (m, d) in ((x, state), (y, state), (s, surprise))]
    wanted = plain.logits(scaled[0] @ plain.now.T, scaled[1] @ plain.before.T, scaled[2])
    torch.testing.assert_close(gate.logits(x @ gate.now.T, y @ gate.before.T, s), wanted, atol=1e-4, rtol=1e-4)


@given(st.lists(st.lists(st.floats(-500, 500, width=32), min_size=1, max_size=5), min_size=1, max_size=5))
def test_soft_min_lies_between_the_minimum_and_the_mean(rows: list[list[float]]) -> None:
    z = torch.tensor([v for row in rows for v in row])
    row = torch.tensor([b for b, values in enumerate(rows) for _ in values])
    pooled = soft_min(z, row, len(rows))
    for value, row_values in zip(pooled.tolist(), rows, strict=True):
        slack = 1e-3 + 1e-5 * max(map(abs, row_values))
        assert min(row_values) - slack <= value <= sum(row_values) / len(row_values) + slack


def test_context_gain_is_what_the_prompt_saved_and_its_running_mean() -> None:
    loss, free = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([2.0, 9.0, 0.0])
    features = surprise_features(loss, torch.ones(3), torch.tensor([0, 0, 1]), free)
    assert features.shape == (3, 8)
    assert features[:, 5].tolist() == [1.0, 7.0, -0.5]
    assert features[:, 6].tolist() == [1.0, 3.0, -0.5]
    assert features[:, 7].tolist() == [1.0, 2.0, -0.5]
    assert surprise_features(loss, torch.ones(3), torch.tensor([0, 0, 1]), None).shape == (3, 4)
