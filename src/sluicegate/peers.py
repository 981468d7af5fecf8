"""What the processes of one launch say to each other: what the first decides, and that one of them failed."""

from __future__ import annotations

import os
import time
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

from sluicegate.errors import ConfigError, SluiceError
from sluicegate.runtime import rank, world_size

if TYPE_CHECKING:
    from torch.distributed import Store

POLL_S = 0.05
FAILED, THROUGH = "failed", "through"

_words = count()


def agree(word: str = "") -> str:
    """What the first process says; the others wait for it. All call this equally often, one process alone too.

    Raises:
        SluiceError: another process failed.
    """
    if world_size() == 1:
        return word
    name = f"word {next(_words)}"
    if rank() == 0:
        _board().set(name, word)
        return word
    while not _board().check([name]):
        _wait()
    return _board().get(name).decode()


def meet() -> None:
    """Wait until every process is here: one that ended its part well is not done while another may still fail.

    Raises:
        SluiceError: another process failed.
    """
    if world_size() == 1:
        return
    name = f"{THROUGH} {next(_words)}"
    _board().add(name, 1)
    while _board().add(name, 0) < world_size():
        _wait()


def fails_first() -> bool:
    """Whether this process, which fails, is the first: the others fail for that reason, and have nothing to tell."""
    if world_size() == 1 or "MASTER_ADDR" not in os.environ:
        return True
    try:
        return _board().add(FAILED, 1) == 1
    except RuntimeError:  # the board went down with the process that held it
        return False


def _wait() -> None:
    """A moment; in Python, so that a signal is heard."""
    if _board().check([FAILED]):
        raise SluiceError("another process of this run failed", "the log of each process has its errors")
    time.sleep(POLL_S)


@cache
def _board() -> Store:
    """Where every process can leave word and read it: the launcher's store, or one that the first process holds."""
    if "MASTER_ADDR" not in os.environ:
        what = f"this is one of {world_size()} processes that cannot find each other: MASTER_ADDR is not set"
        raise ConfigError(what, "start them by torchrun, or unset WORLD_SIZE")
    from torch.distributed import PrefixStore, rendezvous

    store, _, _ = next(rendezvous("env://"))
    return PrefixStore("sluicegate", store)
