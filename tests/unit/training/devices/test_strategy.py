"""How a model is shared is said in one place, and what would not be done as asked is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from sluicegate.errors import ConfigError, MissingError
from sluicegate.training.devices import strategy
from sluicegate.training.devices.launch import processes
from sluicegate.training.devices.launch_config import LaunchConfig
from sluicegate.training.devices.sharded import Sharded
from sluicegate.training.devices.strategy import check_surroundings, opening_device, strategy_arguments, trainer_parts


def asked(**said: Any) -> LaunchConfig:
    return LaunchConfig(**said)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "ACCELERATE_MIXED_PRECISION"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("gpus", "expected"), [(0, 1), (1, 1), (4, 4)])
def test_there_is_a_process_for_each_visible_gpu(monkeypatch: pytest.MonkeyPatch, gpus: int, expected: int) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert processes(asked()) == expected
    assert processes(asked(processes=2)) == 2


def test_several_gpus_and_one_process_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    with pytest.raises(ConfigError, match="one process cannot train on 4 GPUs"):
        check_surroundings(asked(processes=1))
    monkeypatch.setenv("WORLD_SIZE", "4")
    check_surroundings(asked())


def test_accelerate_that_starts_one_process_of_several_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    assert processes(asked()) == 1, "one was asked for"
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(ConfigError, match=r"on a CPU it starts one\nhint: torchrun --nproc-per-node 2 -m sluicegate"):
        processes(asked())
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert processes(asked()) == 1, "it started two"


@pytest.mark.parametrize("name", ["FSDP", "DEEPSPEED"])
def test_a_strategy_of_accelerate_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"ACCELERATE_USE_{name}", "true")
    with pytest.raises(ConfigError, match=f"accelerate was told to use {name}.*\nhint: say launch.strategy="):
        check_surroundings(asked())


def test_one_process_shares_with_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    check_surroundings(asked(strategy="fsdp"))
    assert "launch.strategy=fsdp is left aside" in capsys.readouterr().err
    assert (trainer_parts(asked(strategy="fsdp")), opening_device(asked(strategy="fsdp"))) == ((), "auto")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert (trainer_parts(asked(strategy="fsdp")), opening_device(asked(strategy="fsdp"))) == ((Sharded,), "cpu")
    assert (trainer_parts(asked()), opening_device(asked())) == ((), "auto")


# DeepSpeed ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two processes, with DeepSpeed."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(strategy, "find_spec", lambda name: name)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("stage", [2, 3])
def test_deepspeed_gets_the_stage_and_the_batches_of_the_trainer(stage: int) -> None:
    (settings,) = strategy_arguments(asked(strategy=f"deepspeed_zero{stage}")).values()
    assert settings["zero_optimization"]["stage"] == stage
    assert settings["train_micro_batch_size_per_gpu"] == settings["gradient_clipping"] == "auto"


@pytest.mark.usefixtures("two")
def test_a_file_says_it_instead(tmp_path: Path) -> None:
    file = tmp_path / "zero.json"
    file.write_text(json.dumps({"zero_optimization": {"stage": 3}, "steps_per_print": 7}), encoding="utf-8")
    assert strategy_arguments(asked(strategy="deepspeed_zero3", config=file))["deepspeed"]["steps_per_print"] == 7
    with pytest.raises(ConfigError, match="has ZeRO stage 3, not that of deepspeed_zero2"):
        strategy_arguments(asked(strategy="deepspeed_zero2", config=file))
    file.write_text("stage: 3", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"launch.config: .*zero.json"):
        strategy_arguments(asked(strategy="deepspeed_zero3", config=file))


def test_a_file_is_for_deepspeed_alone(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"launch.config is for DeepSpeed, and launch.strategy is fsdp"):
        asked(strategy="fsdp", config=tmp_path)


def test_deepspeed_that_is_not_there_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(strategy, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'sluicegate\[deepspeed\]'"):
        strategy_arguments(asked(strategy="deepspeed_zero2"))
