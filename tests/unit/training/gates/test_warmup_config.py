"""A key that asks something of another kind of gate is refused; one that asks nothing is let be."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.training.gates.warmup_config import WarmupConfig


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kind": "linear", "rank": 4}, "'rank' is for surprise gates, and kind is linear"),
        ({"kind": "trash", "cross_fit": True}, "'cross_fit' is for surprise gates, and kind is trash"),
        ({"kind": "linear", "reference": "lora"}, "'reference' is for surprise gates"),
        ({"kind": "linear", "trash": "noise"}, "'trash' is for trash gates, and kind is linear"),
        ({"trainable": "router"}, "'trainable' is for linear and trash gates, and kind is surprise"),
        ({"balance": 0.5}, "'balance' is for linear and trash gates"),
        ({"lora": {"rank": 2}}, "'lora' is for linear and trash gates"),
    ],
)
def test_a_key_of_another_kind_is_refused(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as err:
        build(WarmupConfig, asked)
    assert told in err.value.message


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "linear", "reference": "off", "context_gain": False, "cross_fit": False},
        {"kind": "linear", "copies": 2, "corruptions": ["swap"], "unseen": [], "trainable": "router"},
        {"kind": "trash", "trash": "noise", "mode": "lora", "balance": 1.0},
        {"rank": 4, "load_balancing": False, "balance": None, "mode": "full_rank"},
    ],
)
def test_what_a_kind_reads_and_what_asks_nothing(asked: dict[str, Any]) -> None:
    assert build(WarmupConfig, asked).kind == asked.get("kind", "surprise")
