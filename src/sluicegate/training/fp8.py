"""Training in FP8: every matrix product of a linear layer in 8 bits, scaled as it is made, by torchao."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from sluicegate import runtime
from sluicegate.errors import ConfigError, MissingError
from sluicegate.models.layers import decoder_layers
from sluicegate.models.quantised import FP8_CAPABILITY, multiplies_fp8

MULTIPLE = 16
"""What both sides of a matrix must be a multiple of for the GPU's FP8 units."""


def check_fp8(device: torch.device) -> None:
    """Refuse hardware that cannot; a CPU can, but only makes believe.

    Raises:
        MissingError: no torchao.
        ConfigError: a GPU without FP8 units.
    """
    if find_spec("torchao") is None:
        raise MissingError("dtype fp8 needs torchao", "get it with: pip install 'sluicegate[fp8]'")
    if device.type == "cpu":
        runtime.warn("fp8 is emulated on a CPU: it rounds as a GPU would, but is slower and no smaller than float32")
    elif not multiplies_fp8(device):
        first = ".".join(map(str, FP8_CAPABILITY))
        what = f"dtype fp8 needs FP8 units, which {device} has not"
        raise ConfigError(what, f"take dtype=bfloat16, or a GPU of compute capability {first} or later")


def to_fp8(model: nn.Module, device: torch.device) -> None:
    """Let the linear layers of the decoder compute in FP8; their weights stay as they are, and so does what is saved.

    Raises:
        ConfigError: no layer is of a size that FP8 units take.
    """
    from torchao.float8 import Float8LinearConfig, convert_to_float8_training

    config, converted = Float8LinearConfig(emulate=device.type == "cpu"), 0
    for layer in decoder_layers(model):
        convert_to_float8_training(layer, module_filter_fn=_fits, config=config)
        converted += sum(type(module).__name__ == "Float8Linear" for module in layer.modules())
    if not converted:
        what = f"dtype fp8: no linear layer of {type(model).__name__} has sides that are multiples of {MULTIPLE}"
        raise ConfigError(what, "take dtype=bfloat16")
    runtime.say(f"  fp8: {converted} linear layers compute in it")


def _fits(module: Any, name: str) -> bool:
    return not (module.in_features % MULTIPLE or module.out_features % MULTIPLE)
