"""Faster kernels that can be asked for, refused with the reason where they are known not to work."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

from sluicegate import runtime
from sluicegate.errors import ConfigError, MissingError
from sluicegate.training.scratch import compiling
from sluicegate.training.sft_config import SftConfig
from sluicegate.training.tuning_config import TuningConfig


def check_kernels(model: Any, config: TuningConfig, device: torch.device) -> None:
    """Refuse what this model or this machine cannot have.

    Raises:
        ConfigError: it has a reason.
        MissingError: a package for it is not there.
    """
    if config.compile and (reason := _why_not_compiled(model)):
        raise ConfigError(f"compile: {reason}", "leave compile out")
    if isinstance(config, SftConfig) and config.liger:
        _check_liger(model.config.get_text_config().model_type, device)


def take_flash_attention(model: Any, device: torch.device) -> None:
    """For packed rows, where it can be had: it never looks from one row to another. Else all are compared with all, and
    a mask as large as the square of their tokens hides what is of others; the user is told."""
    from transformers.utils import is_flash_attn_2_available

    if device.type == "cuda" and is_flash_attn_2_available() and model._supports_flash_attn:
        model.set_attn_implementation("flash_attention_2")
        runtime.say("  packed rows are read by flash attention 2")
    else:
        runtime.warn(
            "packing without flash attention compares all tokens of a pass: padding is faster, but for few rows"
        )


def _why_not_compiled(model: Any) -> str:
    if any(name.endswith("quality_gate") for name, _ in model.named_modules()):
        return "the model carries gates, whose hooks are not part of a compiled graph"
    return compiling.why_not(model)


def _check_liger(model_type: str, device: torch.device) -> None:
    if device.type != "cuda":
        raise ConfigError(f"liger needs a GPU, and this is {device}: its kernels are Triton's", "leave liger out")
    if find_spec("liger_kernel") is None:
        raise MissingError("liger needs liger-kernel", "get it with: pip install 'sluicegate[liger]'")
    from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN

    if model_type not in MODEL_TYPE_TO_APPLY_LIGER_FN:
        raise ConfigError(f"liger has no kernels for {model_type}", "leave liger out")
