"""How the processes of a tuning share its model: what the Trainer inherits from, and what it is told, for each way."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from typing import Any

import torch

from sluicegate import runtime
from sluicegate.errors import ConfigError, MissingError
from sluicegate.training.devices.launch_config import LaunchConfig
from sluicegate.training.devices.sharded import Sharded

ZERO_STAGES = {"deepspeed_zero2": 2, "deepspeed_zero3": 3}


def opening_device(config: LaunchConfig) -> str:
    """Where the model is opened: one that processes share is taken from the CPU, for it may fit no device whole."""
    return "auto" if config.strategy == "ddp" or runtime.world_size() == 1 else "cpu"


def training_device(config: LaunchConfig, opened: torch.device) -> torch.device:
    """Where a model is trained that was opened by `opening_device`."""
    return opened if opening_device(config) == "auto" else torch.device(runtime.pick_device())


def trainer_parts(config: LaunchConfig) -> tuple[type, ...]:
    """What the class of the Trainer inherits from first."""
    return (Sharded,) if config.strategy == "fsdp" and runtime.world_size() > 1 else ()


def strategy_arguments(config: LaunchConfig) -> dict[str, Any]:
    """For `TrainingArguments`: of DeepSpeed its settings, in which `auto` is filled in from the other arguments.

    Raises:
        ConfigError: a file that holds no settings.
        MissingError: DeepSpeed is not installed.
    """
    if config.strategy not in ZERO_STAGES or runtime.world_size() == 1:
        return {}
    _check_deepspeed()
    return {"deepspeed": _read(config) if config.config else zero_settings(ZERO_STAGES[config.strategy])}


def zero_settings(stage: int) -> dict[str, Any]:
    """What DeepSpeed is told where no file says it (ZeRO, arXiv 1910.02054)."""
    batches = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping")
    return {
        **dict.fromkeys(batches, "auto"),
        "bf16": {"enabled": "auto"},
        "fp16": {"enabled": "auto"},
        "zero_optimization": {"stage": stage, "overlap_comm": True, "contiguous_gradients": True},
        "zero_allow_untested_optimizer": True,
    }


def check_surroundings(config: LaunchConfig) -> None:
    """Tell where processes would not share the work as it was asked for.

    Raises:
        ConfigError: one process and several GPUs; or a way to share a model that accelerate was told, and not we.
    """
    gpus = torch.cuda.device_count()
    if gpus > 1 and runtime.world_size() == 1:
        hint = "leave launch.processes to auto, or set CUDA_VISIBLE_DEVICES to one of them"
        raise ConfigError(f"one process cannot train on {gpus} GPUs", hint)
    for name in ("FSDP",) if config.strategy in ZERO_STAGES else ("FSDP", "DEEPSPEED"):
        if os.environ.get(f"ACCELERATE_USE_{name}", "false").lower() == "true":
            what = f"accelerate was told to use {name}, which on a CPU it leaves out without a word"
            raise ConfigError(what, "say launch.strategy=… instead, and start it by torchrun")
    if config.strategy != "ddp" and runtime.world_size() == 1:
        runtime.warn(f"one process has nobody to share a model with: launch.strategy={config.strategy} is left aside")


def _check_deepspeed() -> None:
    if find_spec("deepspeed") is None:
        raise MissingError("deepspeed is not installed", "pip install 'sluicegate[deepspeed]'")


def _read(config: LaunchConfig) -> dict[str, Any]:
    try:
        settings = json.loads(config.config.read_text(encoding="utf-8"))  # type: ignore[union-attr]
    except (OSError, ValueError) as err:
        raise ConfigError(f"launch.config: {config.config}: {err}", "give DeepSpeed's settings as JSON") from None
    stage = settings.get("zero_optimization", {}).get("stage")
    if stage != ZERO_STAGES[config.strategy]:
        raise ConfigError(
            f"launch.config: {config.config} has ZeRO stage {stage}, not that of {config.strategy}",
            "change one of them",
        )
    return settings
