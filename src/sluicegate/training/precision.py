"""In which numbers a tuning holds its weights, and in which it computes."""

from __future__ import annotations

from typing import NamedTuple

import torch

from sluicegate.errors import ConfigError
from sluicegate.runtime import pick_dtype
from sluicegate.training.tuning_config import TuningConfig


class Held(NamedTuple):
    """The dtype weights are loaded in, and the reason in words; empty where the user asked for it."""

    dtype: str
    reason: str


def held(config: TuningConfig, device: torch.device) -> Held:
    """What the weights of the base are held in. Whole ones that are trained lose small updates in 16 bits, and float16
    has no room for gradients that are not scaled, so those stay in float32 while they are computed with in less.

    Raises:
        ConfigError: float16 on a CPU.
    """
    if config.dtype == "float16" and device.type == "cpu":
        what = "dtype float16 cannot be trained on a CPU: nothing there scales its losses"
        raise ConfigError(what, "take dtype=float32, or dtype=bfloat16 where the CPU has it")
    if config.method == "full" and config.dtype in ("auto", "float16", "fp8"):
        return Held("float32", "full fine-tuning keeps float32 weights")
    return Held("auto", "") if config.dtype == "fp8" else Held(config.dtype, "")


def autocast(device: torch.device, dtype: str = "auto") -> dict[str, bool]:
    """The `bf16` and `fp16` of `TrainingArguments`; by float16 the Trainer scales losses.

    Args:
        dtype: as a config has it.
    """
    asked = "auto" if dtype == "fp8" else dtype
    computed = pick_dtype(device.type, asked)[0] if device.type == "cuda" else torch.float32
    return {"bf16": computed == torch.bfloat16, "fp16": computed == torch.float16}


def autocasting(device: torch.device, dtype: str = "auto") -> torch.autocast:
    """What a Trainer that is told so does around every forward pass."""
    told = autocast(device, dtype)
    return torch.autocast(device.type, torch.float16 if told["fp16"] else torch.bfloat16, enabled=any(told.values()))
