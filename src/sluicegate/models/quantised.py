"""Weights in few bits: a base opened in NF4 (arXiv 2305.14314), and folders whose weights are FP8 already."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sluicegate.errors import MissingError

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig

FP8_CAPABILITY = (8, 9)
"""Of the first GPUs that multiply in FP8: Ada, Hopper and later."""


def nf4(compute: torch.dtype) -> BitsAndBytesConfig:
    """Matrices in 4 bits whose scales are themselves in 8; what they are multiplied in is `compute`.

    Raises:
        MissingError: no bitsandbytes.
    """
    if find_spec("bitsandbytes") is None:
        raise MissingError("method qlora needs bitsandbytes", "get it with: pip install 'sluicegate[qlora]'")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def keep_gradients(model: Any) -> None:
    """On a CPU with bfloat16 units bitsandbytes lays 4-bit weights out anew at the first look in evaluation mode, and
    through that layout no gradient comes any more: forbid it."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def holds_fp8(folder: Path) -> bool:
    """Whether the weights in a model folder are FP8, by what its config says of them."""
    path = folder / "config.json"
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    told = config.get("quantization_config") or {}
    fine_grained = told.get("quant_method") in ("fp8", "fbgemm_fp8")
    return fine_grained or (told.get("quant_method") == "compressed-tensors" and "float" in str(told.get("format")))


def multiplies_fp8(device: torch.device) -> bool:
    """Whether a device has FP8 matrix units."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= FP8_CAPABILITY
