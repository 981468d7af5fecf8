"""The tensors a training changes, whole on the CPU, also where several processes hold parts of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from sluicegate.runtime import rank


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters a step changes, tied ones once: an adapter's, or all."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def gathered(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the CPU, put together of the parts that processes hold, for which all of them call this; they are for
    the first of them, and the others get nothing."""
    copies = {}
    for name, tensor in tensors.items():
        full = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
        if rank() == 0:
            copies[name] = full.detach().to("cpu", copy=True).contiguous()
    return copies


def local(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor, all of it or a part."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def like(tensor: Tensor, value: Tensor) -> Tensor:
    """A whole tensor on the device of another, and in parts as that is."""
    placed: Any = value.to(tensor.device)
    return distribute_tensor(placed, tensor.device_mesh, tensor.placements) if isinstance(tensor, DTensor) else placed


@torch.no_grad()
def put_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give the parameters that are trained the values they had."""
    for name, parameter in trained(model).items():
        parameter.copy_(like(parameter, weights[name]))
