"""What a Trainer is told of a tuning: trl's defaults differ from those of transformers, so none may be left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import ConfigError
from sluicegate.training.preference.config import DpoConfig
from sluicegate.training.tuning_arguments import tuning_arguments

CPU = torch.device("cpu")


def told(out: Path, steps: int = 40, **settings: Any) -> dict[str, Any]:
    return tuning_arguments(DpoConfig(**{"method": "full", **settings}), CPU, steps, out)


def test_trl_is_left_none_of_its_own_defaults(tmp_path: Path) -> None:
    from trl import DPOConfig

    args = DPOConfig(**told(tmp_path, learning_rate=1e-3))
    assert (args.bf16, args.gradient_checkpointing, args.activation_checkpointing) == (False, False, False)
    assert (args.learning_rate, args.logging_steps, args.max_steps) == (1e-3, 1, 40)
    assert (args.per_device_train_batch_size, args.gradient_accumulation_steps) == (16, 1)
    assert (args.lr_scheduler_type, args.warmup_steps, args.weight_decay) == ("linear", 2, 0.01)


def test_a_batch_is_shared_by_passes_and_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    found = told(tmp_path, device_batch_size=2)
    assert (found["per_device_train_batch_size"], found["gradient_accumulation_steps"]) == (2, 4)
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="total_batch 16 cannot be shared by 3 processes"):
        told(tmp_path)


def test_one_step_is_a_step_at_the_full_rate(tmp_path: Path) -> None:
    assert (told(tmp_path, steps=1)["warmup_steps"], told(tmp_path, steps=1)["logging_steps"]) == (0, 1)
