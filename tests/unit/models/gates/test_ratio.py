"""What the earlier kinds of gates share: g, pooled by its mean, and exact files."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from sluicegate.models.gates.base import Gate, Tokens
from sluicegate.models.gates.files import KINDS, load_gates, save_gates
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.router import RouterGate, TrashRouterGate
from sluicegate.models.gates.trash import TrashGate

GATES = [
    LinearGate(6),
    TrashGate(6),
    TrashGate(6, noise=True),
    RouterGate(torch.randn(4, 6)),
    TrashRouterGate(torch.randn(4, 6)),
    TrashRouterGate(torch.randn(4, 6), noise=True),
]


def test_a_row_is_the_mean_of_g_over_its_tokens() -> None:
    gate = LinearGate(6)
    z, row = torch.tensor([0.0, 2.0, -1.0]), torch.tensor([0, 0, 2])
    pooled = gate.pool(z, row, 3)
    assert pooled[0].item() == pytest.approx((0.5 + torch.tensor(2.0).sigmoid().item()) / 2)
    assert pooled[1].isnan(), "a row without tokens has no score"
    assert pooled[2].item() == pytest.approx(torch.tensor(-1.0).sigmoid().item())


def test_token_logits_are_those_of_the_last_forward() -> None:
    gate, x = LinearGate(6), torch.randn(2, 5, 6)
    torch.nn.init.ones_(gate.bias)
    gate.watch(x, x)
    tokens = Tokens(torch.tensor([0, 1]), torch.tensor([4, 2]), torch.empty(2, 0))
    wanted = torch.stack([x[0, 4] @ gate.weight + 1, x[1, 2] @ gate.weight + 1])
    torch.testing.assert_close(gate.token_logits(tokens), wanted)


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.kind + "-noise" * ("seed" in gate.state_dict()))
def test_every_kind_is_saved_and_loaded_exactly(gate: Gate, tmp_path: Path) -> None:
    save_gates({3: gate, 11: copy.deepcopy(gate)}, tmp_path)
    again = load_gates(tmp_path)
    assert list(again) == [3, 11]
    for one in again.values():
        assert type(one) is type(gate) is KINDS[gate.kind]
        state = one.state_dict()
        assert set(state) == set(gate.state_dict())
        assert all(torch.equal(state[n], p) for n, p in gate.state_dict().items())
