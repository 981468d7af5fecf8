"""FSDP2 (arXiv 2304.11277): each process keeps a part of every weight, of its gradient and of its optimizer state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from sluicegate.models.layers import decoder_layers


def shard(model: nn.Module, device: torch.device, computes: torch.dtype | None = None) -> None:
    """Leave of every parameter this process's part, on `device`; a layer is put together while it is used.

    Args:
        computes: what it is put together in, and multiplied; None: as it is.
    """
    from torch.distributed import get_world_size
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    how: dict[str, Any] = {
        "mesh": init_device_mesh(device.type, (get_world_size(),)),
        "mp_policy": MixedPrecisionPolicy(param_dtype=computes, reduce_dtype=torch.float32),
        "reshard_after_forward": True,  # or an optimizer made after a look at the model would step whole weights
    }
    for layer in decoder_layers(model):
        fully_shard(layer, **how)
    fully_shard(model, **how)


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
    state: dict[str, Any] = get_model_state_dict(model, options=options)
    once = {name for name, _ in [*model.named_parameters(), *model.named_buffers()]}
    return {name: weight for name, weight in state.items() if name in once}  # tied weights come by both their names


class Sharded:
    """A Trainer whose model is split between processes; to inherit from first."""

    def __init__(self, *, model: Any, args: Any, **rest: Any) -> None:
        super().__init__(model=model, args=args, **rest)  # type: ignore[call-arg]
        # Only now, for trl's trainers look at whole weights.
        shard(model, args.device, torch.bfloat16 if args.bf16 else None)

    @property
    def is_distributed_loading_by_transformers(self) -> bool:
        """As it says to accelerate that the model has its place already and is neither to be moved nor copied."""
        return True

    @is_distributed_loading_by_transformers.setter
    def is_distributed_loading_by_transformers(self, of_the_model: bool) -> None:
        """A Trainer asks its model, which was opened whole."""

    @contextmanager
    def _defer_fsdp_gradient_reduction(self) -> Iterator[None]:
        """Not deferred: until it is shared out, a gradient is as large as all weights."""
        yield
