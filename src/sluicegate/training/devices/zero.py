"""ZeRO-3 (arXiv 1910.02054) by DeepSpeed: what it does with the weights that it shares out."""

from __future__ import annotations

import torch
from torch import nn

from sluicegate.runtime import rank


def is_partitioned(model: nn.Module) -> bool:
    """Whether each process holds a part of every weight."""
    return any(hasattr(parameter, "ds_id") for parameter in model.parameters())


def gathered_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """The weights put together again, one after the other, in the memory of the first process; of an adapted model
    those of its adapter. Every process calls it; the others get nothing."""
    import deepspeed

    frozen = hasattr(model, "peft_config")
    state: dict[str, torch.Tensor] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad or not frozen:
            with deepspeed.zero.GatheredParameters([parameter]):
                if rank() == 0:
                    state[name] = parameter.detach().cpu().clone()
    if rank() == 0 and not frozen:
        state |= {name: buffer.cpu() for name, buffer in model.named_buffers() if name in model.state_dict()}
    return state
