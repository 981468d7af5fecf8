"""What the device decides."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import TrainingArguments

from sluicegate.training import precision
from sluicegate.training.devices.device_arguments import device_arguments


def test_a_cpu_trains_in_float32_and_keeps_its_activations(tmp_path: Path) -> None:
    args = TrainingArguments(**device_arguments(torch.device("cpu"), tmp_path))
    assert (args.use_cpu, args.bf16, args.activation_checkpointing) == (True, False, False)
    assert (args.report_to, args.save_strategy) == ([], "no")
    assert TrainingArguments(**device_arguments(torch.device("cpu"), tmp_path, True)).activation_checkpointing


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_a_gpu_in_its_own_precision_saves_activations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(precision, "pick_dtype", lambda device, asked: (dtype, "this GPU has it"))
    found = device_arguments(torch.device("cuda"), tmp_path)
    assert (found["use_cpu"], found["bf16"]) == (False, dtype == torch.bfloat16)
    assert found["activation_checkpointing_kwargs"] == {"use_reentrant": False}
    assert device_arguments(torch.device("cuda"), tmp_path, False)["activation_checkpointing_kwargs"] is None
