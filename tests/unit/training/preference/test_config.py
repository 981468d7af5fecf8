"""What does not go together is refused while a run is planned."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.testing import check_config
from sluicegate.training.preference.config import DpoConfig, LossName, OrpoConfig


@pytest.mark.parametrize("config", [DpoConfig, OrpoConfig])
def test_every_key_is_documented(config: Any) -> None:
    check_config(config)


def test_the_losses_are_those_of_the_trl_that_is_installed() -> None:
    (folder,) = find_spec("trl").submodule_search_locations  # type: ignore[union-attr, misc]
    source = (Path(folder) / "trainer" / "dpo_trainer.py").read_text(encoding="utf-8")
    assert set(get_args(LossName)) == set(re.findall(r'loss_type == "(\w+)"', source))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"loss": "simpo"}, "'sigmoid', 'hinge', 'ipo'"),
        ({"loss": "ipo", "label_smoothing": 0.1}, "loss ipo knows no label_smoothing; these do: sigmoid, robust"),
        ({"loss": "exo_pair"}, "loss exo_pair needs a label_smoothing above 0"),
        ({"loss": "sigmoid_norm", "length_penalty": 0.02}, "length_penalty would change nothing"),
        ({"loss": "aot", "device_batch_size": 4}, "loss aot needs its pairs in one pass"),
        ({"label_smoothing": 0.5}, "less than 0.5"),
        ({"beta": 0}, "greater than 0"),
        ({"lora": {"targets": ["q_proj", "lm_head"]}}, "an adapter on lm_head would not be trained"),
        ({"sampler": {"share": {"zh": 1.2}}}, "sampler.share.zh"),
        ({"device_batch_size": 3}, "total_batch 16 cannot be shared by a process at 3 rows a pass"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        build(DpoConfig, given)


def test_the_usual_rate_is_that_of_the_method() -> None:
    rates = {(c, m): c(method=m).peak_rate for c in (DpoConfig, OrpoConfig) for m in ("full", "lora")}
    assert list(rates.values()) == [5e-7, 5e-6, 5e-6, 5e-5]
    assert DpoConfig(method="full", learning_rate=1e-3).peak_rate == 1e-3


def test_a_language_alone_is_short_for_its_usual_share() -> None:
    assert build(DpoConfig, {"sampler": {"share": "zh"}}).sampler.share == {"zh": 0.7}
