"""What every Trainer here is told of its device and its surroundings: the defaults of trainers differ and change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sluicegate.training.precision import autocast


def device_arguments(
    device: torch.device, out: Path, checkpoint: bool | None = None, dtype: str = "auto"
) -> dict[str, Any]:
    """For `TrainingArguments`: precision and activation checkpointing as the device wants them, rows in the order they
    were laid out in, and nothing printed, saved or reported.

    Args:
        out: a folder the Trainer may use.
        checkpoint: keep only the activations between layers; None: on a GPU.
        dtype: what a config says of its numbers.
    """
    on_cpu, on_gpu = device.type == "cpu", device.type == "cuda"
    saves = on_gpu if checkpoint is None else checkpoint
    return {
        "output_dir": str(out),
        "train_sampling_strategy": "sequential",
        "use_cpu": on_cpu,
        **autocast(device, dtype),
        "activation_checkpointing": saves,
        "activation_checkpointing_kwargs": {"use_reentrant": False} if saves else None,
        "dataloader_pin_memory": not on_cpu,
        "remove_unused_columns": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }
