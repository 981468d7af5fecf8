"""Published settings."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from sluicegate.config import build, result_fields
from sluicegate.errors import ConfigError
from sluicegate.models.adapters import LoraSettings
from sluicegate.training.presets import PRESETS, Preset
from sluicegate.training.sft_config import SftConfig


def test_less_is_as_published() -> None:
    config = build(SftConfig, {"preset": "less"})
    assert (config.method, config.max_length) == ("lora", 2048)
    assert (config.lora.rank, config.lora.alpha, config.lora.dropout, config.lora.targets) == (
        128,
        512,
        0.1,
        "attention",
    )
    assert (config.peak_rate, config.schedule, config.warmup_share) == (2e-5, "linear", 0.03)
    assert (config.epochs, config.total_batch) == (4, 128)


@pytest.mark.parametrize(("card", "rank"), [("rtx4090", 16), ("rtx5090", 32)])
def test_a_card_trains_two_rows_at_a_time_sixteen_times(card: str, rank: int) -> None:
    config = build(SftConfig, {"preset": card})
    assert (config.method, config.lora.rank, config.dtype) == ("lora", rank, "bfloat16")
    assert (config.device_batch_size, config.total_batch) == (2, 2 * 16)


def test_what_is_told_wins_field_by_field() -> None:
    config = build(SftConfig, {"preset": "less", "epochs": 1, "lora": {"rank": 8}})
    assert (config.epochs, config.total_batch) == (1, 128)
    assert (config.lora.rank, config.lora.alpha) == (8, 512)
    assert SftConfig(preset="less", lora=LoraSettings(rank=4)).lora == LoraSettings(rank=4)


@pytest.mark.parametrize("name", PRESETS)
def test_a_fingerprint_sees_what_a_preset_says_and_not_its_name(name: Any) -> None:
    assert result_fields(SftConfig(preset=name)) == result_fields(build(SftConfig, PRESETS[name]))
    assert result_fields(SftConfig(preset=name)) != result_fields(SftConfig())


def test_the_names_are_those_of_the_table() -> None:
    assert get_args(Preset) == tuple(PRESETS)


def test_a_preset_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="preset: input should be 'less', 'rtx4090' or 'rtx5090'"):
        build(SftConfig, {"preset": "rtx3090"})
