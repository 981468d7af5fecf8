"""How the model to train is opened: by which method it will be trained, in which dtype its weights are held."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from sluicegate.models import adapters
from sluicegate.models.load import Loaded, load
from sluicegate.models.size import count_parameters
from sluicegate.training.tuning_config import TuningConfig

C = TypeVar("C", bound=TuningConfig)

SMALL = 1_000_000_000
"""Parameters from which on `auto` trains an adapter: full fine-tuning holds 16 bytes for each."""


def settle(config: C, base: Path) -> C:
    """The config with its `auto` method decided: by the size of the base, which is not loaded for it, or an adapter
    where the model is one."""
    if config.method != "auto":
        return config
    small = not (base / adapters.SETTINGS).is_file() and count_parameters(base) < SMALL
    return config.model_copy(update={"method": "full" if small else "lora"})


def open_model(base: Path, config: TuningConfig) -> Loaded:
    """The model to train, in the dtype its training wants: bfloat16 loses small updates of whole weights."""
    if config.method == "full" and config.dtype == "auto":
        return load(base, dtype="float32", reason="full fine-tuning keeps float32 weights")
    return load(base, dtype=config.dtype)
