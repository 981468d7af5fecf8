"""The processes of a torchrun that train one model together, each on its part of every batch."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import torch.distributed as dist
from torch import Tensor

from sluicegate.errors import ConfigError
from sluicegate.runtime import world_size

_turns = count()


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Joined while they train; a process alone is by itself."""
    if world_size() == 1 or dist.is_initialized():
        yield
        return
    store, rank, size = next(dist.rendezvous("env://"))
    # Named by its turn: from an earlier group of this run, processes would read addresses where nobody listens.
    store = dist.PrefixStore(f"scratch_{next(_turns)}", store)
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", store=store, rank=rank, world_size=size)
    yield
    gc.collect()  # the parallel model is in cycles; freed later, it may wait for ever for a group that is gone
    dist.destroy_process_group()


def over_all(loss: Tensor) -> Tensor:
    """The sum over all of them."""
    if world_size() > 1:
        dist.all_reduce(loss)
    return loss


def check_shares(rows: int) -> None:
    """Raise `ConfigError` where they cannot share batches of so many rows."""
    if rows % world_size():
        what = f"{world_size()} processes cannot share batches of {rows} rows"
        raise ConfigError(what, f"make batch_rows a multiple of {world_size()}")
