from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from sluicegate.models.gates.base import pooled
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.scoring.gate import Gate


def test_it_is_the_mean_over_layers_of_the_soft_minimum_over_tokens(make_shard: Any) -> None:
    """Of logits 0 and log 3: −log((1 + 1/3) / 2) = log 1.5; of equal ones they themselves; then mean over layers."""
    z = torch.tensor([[0.0, math.log(3), 5.0], [2.0, 2.0, -1.0]])  # (L, T)
    layers = pooled([SurpriseGate(4, 1, 4)] * 2, z, torch.tensor([0, 0, 1]), 2)
    torch.testing.assert_close(layers, torch.tensor([[math.log(1.5), 5.0], [2.0, -1.0]]))
    found = Gate().score(make_shard([2, 1], loss=[9.0, 9.0], gate=layers.mean(0).tolist()), Gate.Config())
    assert found == pytest.approx([(math.log(1.5) + 2) / 2, 2.0])


def test_it_is_what_the_gates_said(make_shard: Any) -> None:
    shard = make_shard([2, 0, 1], loss=[9.0, 9.0, 9.0], gate=[-1.5, math.nan, 2.0])
    assert Gate().score(shard, Gate.Config()) == [-1.5, "no response token left", 2.0]
