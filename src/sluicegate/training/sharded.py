"""FSDP2 (arXiv 2304.11277): each process keeps a part of every weight, of its gradient and of its optimizer state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from sluicegate.models.layers import decoder_layers


def shard(model: nn.Module, device: torch.device) -> None:
    """Leave of every parameter this process's part, on `device`; a layer is put together while it is used."""
    from torch.distributed import get_world_size
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.type, (get_world_size(),))
    for layer in decoder_layers(model):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)


def is_sharded(model: nn.Module) -> bool:
    """Whether `shard` was here."""
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def whole_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """The weights put together again, in the memory of the first process; of an adapted model those of its adapter.

    Every process calls it; the others get nothing.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    frozen = hasattr(model, "peft_config")
    options = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=frozen)
    state = get_model_state_dict(model, options=options)
    once = {name for name, _ in [*model.named_parameters(), *model.named_buffers()]}
    return {name: weight for name, weight in state.items() if name in once}  # tied weights come by both their names


class Sharded:
    """A Trainer whose model is split between processes; to inherit from first."""

    def __init__(self, *, model: Any, args: Any, **rest: Any) -> None:
        shard(model, args.device)
        model.is_distributed_loading_by_transformers = True  # so that accelerate does not copy it into each process
        super().__init__(model=model, args=args, **rest)

    @contextmanager
    def _defer_fsdp_gradient_reduction(self) -> Iterator[None]:
        """Not deferred: until it is shared out, a gradient is as large as all weights."""
        yield
