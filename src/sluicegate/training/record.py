"""`training.json`: all that is needed to repeat a tuning, and how it went."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

import sluicegate
from sluicegate import runtime
from sluicegate.artifacts import Artifact
from sluicegate.models.load import Loaded
from sluicegate.training.course import Course
from sluicegate.training.devices.batch_shares import share
from sluicegate.training.tuning_config import TuningConfig

FILE = "training.json"
COUNTS = ("rows", "kept", "tokens")
"""What is told of an input, where it is known of it."""
PACKAGES = (
    "torch", "transformers", "trl", "peft", "accelerate", "tokenizers", "safetensors", "datasets", "numpy",
    "bitsandbytes", "torchao", "deepspeed", "liger-kernel",
)  # fmt: skip


def record(
    stage: str,
    config: TuningConfig,
    loaded: Loaded,
    inputs: Mapping[str, Artifact],
    stats: Mapping[str, Any],
    course: Course,
) -> dict[str, Any]:
    """The same shape whichever way a model is tuned.

    Args:
        config: with all that `auto` left open decided.
        loaded: the base.
        stats: the numbers of the stage: rows, label tokens, steps, loss and others.
    """
    return {
        "stage": stage,
        "method": config.method,
        "base": inputs["model"].id,
        "inputs": {name: _counted(made) for name, made in inputs.items() if name != "model"},
        "settings": config.model_dump(mode="json") | {"learning_rate": config.peak_rate},
        "seed": config.seed,
        "dtype": str(loaded.dtype).removeprefix("torch."),
        "dtype_reason": loaded.dtype_reason,
        "device": _device(loaded.device),
        "batch": _batch(config),
        "versions": versions(),
        **stats,
        **course.effort,
        "curve": course.curve,
        "evaluations": course.evaluations,
    }


def versions() -> dict[str, str]:
    """Of Python, of ourselves, and of the libraries that decide a result, those that are installed."""
    found = {"python": platform.python_version(), "sluicegate": sluicegate.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _counted(made: Artifact) -> dict[str, Any]:
    return {"id": made.id} | {name: made.stats[name] for name in COUNTS if name in made.stats}


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _batch(config: TuningConfig) -> dict[str, int]:
    """How `total` rows are shared: passes of `per_device` in each of the processes."""
    processes = runtime.world_size()
    per_device, passes = share(config.total_batch, config.device_batch_size, processes)
    return {"total": config.total_batch, "processes": processes, "per_device": per_device, "passes": passes}
