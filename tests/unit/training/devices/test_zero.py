"""Weights that DeepSpeed shares out are put together one at a time; DeepSpeed itself is played by a stand-in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from sluicegate.training.devices.zero import gathered_state, is_partitioned


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """A layer whose weights are away, but while they are gathered."""
    layer = nn.Linear(2, 3)
    kept = {parameter: parameter.data for parameter in layer.parameters()}
    for n, parameter in enumerate(layer.parameters()):
        parameter.ds_id, parameter.data = n, torch.empty(0)  # type: ignore[attr-defined]
    deepspeed: Any = ModuleType("deepspeed")

    @contextmanager
    def gathered(parameters: list[nn.Parameter]) -> Iterator[None]:
        (parameter,) = parameters
        parameter.data = kept[parameter]
        yield
        parameter.data = torch.empty(0)

    deepspeed.zero = SimpleNamespace(GatheredParameters=gathered)
    monkeypatch.setitem(sys.modules, "deepspeed", deepspeed)
    return layer


def test_a_plain_model_is_whole(shared: nn.Module) -> None:
    assert is_partitioned(shared)
    assert not is_partitioned(nn.Linear(2, 3))


def test_all_weights_are_gathered_for_the_first_process(shared: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    state = gathered_state(shared)
    assert {name: tuple(weight.shape) for name, weight in state.items()} == {"weight": (3, 2), "bias": (3,)}
    assert all(len(parameter) == 0 for parameter in shared.parameters()), "and left shared"
    monkeypatch.setenv("RANK", "1")
    assert gathered_state(shared) == {}


def test_of_an_adapted_model_only_what_is_trained(shared: nn.Module) -> None:
    shared.peft_config = {}  # type: ignore[assignment]
    shared.weight.requires_grad_(False)  # type: ignore[union-attr,operator]
    assert list(gathered_state(shared)) == ["bias"]
