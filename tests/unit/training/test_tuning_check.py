from __future__ import annotations

from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError, MissingError
from sluicegate.training.sft_config import SftConfig
from sluicegate.training.tuning_check import check_tuning
from sluicegate.training.watching import trackers
from sluicegate.training.watching.held_out_metrics import PAIRS, ROWS


def check(options: dict[str, Any], *wires: str, metrics: tuple[str, ...] = ROWS) -> None:
    check_tuning(build(SftConfig, options), wires, metrics)


def test_early_stopping_needs_held_out_rows() -> None:
    check({"early_stopping": {}}, "data", "held_out")
    with pytest.raises(ConfigError, match="judged by held-out rows, and there are none") as err:
        check({"early_stopping": {}}, "data")
    assert "held_out" in err.value.hint


def test_a_metric_is_one_that_is_measured() -> None:
    accuracy = {"early_stopping": {"metric": "accuracy"}}
    check(accuracy, "held_out", metrics=PAIRS)
    with pytest.raises(ConfigError, match="not measured by 'accuracy'") as err:
        check(accuracy, "held_out")
    assert err.value.hint == "there are: loss"


def test_a_tracker_that_is_not_installed_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="wandb is not installed") as err:
        check({"log": {"track": ["wandb"]}})
    assert 'pip install "sluicegate[track]"' in err.value.hint
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    check({"log": {"track": ["wandb"]}})
