"""In which numbers a run from scratch multiplies its matrices; its weights are float32 always."""

from __future__ import annotations

import torch

from sluicegate.errors import ConfigError


def pick_dtype(asked: str, device: torch.device) -> torch.dtype:
    """The dtype asked for; `auto` is bfloat16 on a GPU that has it, and float32 elsewhere.

    Raises:
        ConfigError: float16 on a CPU.
    """
    if asked == "float16" and device.type == "cpu":
        raise ConfigError("dtype float16 needs a GPU: a CPU has no fast 16-bit arithmetic", "leave dtype out")
    if asked != "auto":
        return getattr(torch, asked)
    has = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if has else torch.float32
