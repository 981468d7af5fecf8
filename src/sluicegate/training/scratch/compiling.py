"""torch.compile, refused with a reason where it is known not to work."""

from __future__ import annotations

import os
import shutil
from typing import Any

import torch
from transformers import PreTrainedModel

from sluicegate.errors import ConfigError


def compiled(model: PreTrainedModel) -> Any:
    """The model as one graph of fused kernels, with the same parameters.

    Raises:
        ConfigError: it cannot be compiled here.
    """
    if reason := why_not(model):
        raise ConfigError(f"this run cannot be compiled: {reason}", "set compile=false")
    return torch.compile(model)


def why_not(model: PreTrainedModel) -> str:
    """What stands in the way; empty where nothing does."""
    compiler = os.environ.get("CXX", "g++")
    if model.device.type == "mps":
        return "torch.compile is not ready for MPS"
    if model.device.type == "cpu" and shutil.which(compiler) is None:
        return f"a CPU needs a C++ compiler, and there is no {compiler}"
    return ""
