"""The cost of reading, against counts by hand."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.models import adapters
from sluicegate.models.load import load_plain
from sluicegate.models.meter import Meter, Spent

IDS = torch.zeros(2, 5, dtype=torch.long)


@pytest.fixture
def model(make_model: Callable[..., Any]) -> Any:
    return make_model("Qwen2", 40)


@pytest.fixture
def meter(model: Any) -> Meter:
    """Watches the model."""
    watching = Meter()
    watching.watch(model)
    return watching


def test_a_token_read_without_gradient_counts_once_padding_too(model: Any, meter: Meter) -> None:
    with torch.no_grad():
        model(input_ids=IDS, attention_mask=torch.tensor([[1] * 5, [1] * 2 + [0] * 3]))
        model.model(input_ids=IDS[:1])
    assert meter.take().forward_tokens == 10 + 5
    assert meter.take().forward_tokens == 0, "what was taken is not counted again"


def test_where_all_weights_learn_a_token_counts_three_times(model: Any, meter: Meter) -> None:
    model(input_ids=IDS, labels=IDS).loss.backward()
    assert meter.take().forward_tokens == 3 * 10


def test_beside_an_adapter_it_counts_twice_and_for_the_adapters_share(model: Any, meter: Meter) -> None:
    frozen = sum(p.numel() for p in model.parameters())
    tuned = adapters.attach(model, adapters.LoraSettings(rank=2, alpha=4))
    tuned(input_ids=IDS, labels=IDS).loss.backward()
    added = sum(p.numel() for p in model.parameters()) - frozen
    assert added > 0
    assert meter.take().forward_tokens == pytest.approx(10 * (2 + added / (frozen + added)))


def test_a_frozen_model_has_nothing_to_read_backward(model: Any, meter: Meter) -> None:
    model.requires_grad_(False)
    model(input_ids=IDS)
    assert meter.take().forward_tokens == 10


def test_a_model_that_carries_a_hook_computes_the_same(
    make_model: Callable[..., Any], model: Any, meter: Meter
) -> None:
    with torch.no_grad():
        assert torch.equal(model(input_ids=IDS).logits, make_model("Qwen2", 40)(input_ids=IDS).logits)


def test_a_model_nobody_else_holds_is_let_go_of_at_once(make_model: Callable[..., Any]) -> None:
    made = make_model("Qwen2", 40)
    watching, known = Meter(), weakref.ref(made)
    watching.watch(made)
    gc.collect()
    gc.disable()
    try:
        del made
        assert known() is None
    finally:
        gc.enable()


def test_the_clock_leaves_out_what_loading_takes(tiny_qwen2: Path) -> None:
    def slowly() -> Any:
        time.sleep(0.3)
        return load_plain(tiny_qwen2)

    meter = Meter()
    time.sleep(0.1)
    with meter.running():
        loaded = meter.open(slowly)
        time.sleep(0.05)
        loaded.model(input_ids=IDS)
    spent = meter.take()
    assert 0.05 <= spent.working_seconds < 0.3
    assert spent.forward_tokens == 30, "without the tokens that are read to check the head"


def test_costs_add_up_and_are_told_in_whole_tokens() -> None:
    spent = Spent(10.4, 0.5) + Spent(0.2, 0.25)
    assert spent.told() == {"forward_tokens": 11, "working_seconds": 0.75}
