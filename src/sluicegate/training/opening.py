"""How the model to train is opened: by which method it will be trained, in which dtype its weights are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch

from sluicegate import runtime
from sluicegate.errors import ArtifactError
from sluicegate.models import adapters
from sluicegate.models.load import Loaded, load
from sluicegate.models.quantised import holds_fp8, multiplies_fp8
from sluicegate.models.size import count_parameters
from sluicegate.training.devices.strategy import opening_device
from sluicegate.training.fp8 import check_fp8, to_fp8
from sluicegate.training.kernels import check_kernels, take_flash_attention
from sluicegate.training.passes.packing_check import check_packing
from sluicegate.training.precision import autocasting, held
from sluicegate.training.sft_config import SftConfig
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
    """The model to train, its weights as its method and dtype want them.

    Raises:
        ConfigError: a dtype this machine cannot train in, kernels or packing that do not work with this model.
        ArtifactError: weights that cannot be trained so.
        MissingError: a package for it is not there.
    """
    device = torch.device(runtime.pick_device())
    dtype, reason = held(config, device)
    _check_weights(base, config, device)
    if config.dtype == "fp8":
        check_fp8(device)
    numbers, why = runtime.pick_dtype(str(device), dtype)  # of where it is trained, wherever it is opened
    named = str(numbers).removeprefix("torch.")
    opened = opening_device(config.launch)
    loaded = load(base, device=opened, dtype=named, reason=reason or why, nf4=config.method == "qlora")
    check_kernels(loaded.model, config, device)
    if isinstance(config, SftConfig) and config.packing:
        take_flash_attention(loaded.model, device)
        with autocasting(device, config.dtype):
            check_packing(loaded.model)
    if config.dtype == "fp8":
        to_fp8(loaded.model, device)
    return loaded


def _check_weights(base: Path, config: TuningConfig, device: torch.device) -> None:
    """Weights that are FP8 already can be the base of an adapter, where the hardware multiplies in it."""
    folder = adapters.base_of(base) if (base / adapters.SETTINGS).is_file() else base
    if not (isinstance(folder, Path) and holds_fp8(folder)):
        return
    if not config.adapted:
        raise ArtifactError(f"{folder} holds FP8 weights, which cannot be trained themselves", "take method=lora")
    if config.method == "qlora":
        raise ArtifactError(f"{folder} holds FP8 weights, which cannot be made NF4", "take its bfloat16 release")
    if not multiplies_fp8(device):
        hint = "take its bfloat16 release, or an Ada or Hopper GPU"
        raise ArtifactError(f"{folder} holds FP8 weights, which this machine ({device}) cannot multiply with", hint)


def with_adapter(model: Any, config: TuningConfig) -> Any:
    """The model with a fresh adapter where one is trained; says how many parameters are."""
    made = adapters.attach(model, config.lora, dora=config.method == "dora") if config.adapted else model
    tell_trained(made)
    return made


def tell_trained(model: Any) -> None:
    """Say how many parameters ask for gradients; in 4 bits each counts as one still."""
    if hasattr(model, "peft_config"):
        trained, total = model.get_nb_trainable_parameters()
    else:
        trained = total = model.num_parameters()
    runtime.say(f"  trained: {trained:,} of {total:,} parameters ({trained / total:.2%})")
