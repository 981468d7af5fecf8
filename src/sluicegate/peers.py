"""What the processes of one launch say to each other: what the first decides, and that one of them failed."""

from __future__ import annotations

import json
import os
import sys
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate import errors
from sluicegate.errors import ConfigError, SluiceError
from sluicegate.runtime import rank, world_size

if TYPE_CHECKING:
    from torch.distributed import Store

POLL_S = 0.05
FAILED, THROUGH = "failed", "through"
FAILURE = "SLUICEGATE_FAILURE"
"""The variable that names the file in which a launch of ours tells why it failed."""

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


def _fails_first() -> bool:
    """Whether this process, which fails, is the first: the others fail for that reason."""
    if world_size() == 1 or "MASTER_ADDR" not in os.environ:
        return True
    try:
        return _board().add(FAILED, 1) == 1
    except RuntimeError:  # the board went down with the process that held it
        return False


def launched() -> bool:
    """Whether a process of ours started this launch, and speaks for it."""
    return FAILURE in os.environ


def tell_failure(err: SluiceError) -> None:
    """Say what ended this process, unless it ended for what another did; `read_failure` has it where one `launched`."""
    if not _fails_first():
        return
    if launched():
        told = [type(err).__name__, err.message, err.hint]
        Path(os.environ[FAILURE]).write_text(json.dumps(told), encoding="utf-8")
    else:
        print(f"error: {err}", file=sys.stderr)


def read_failure(path: Path) -> SluiceError | None:
    """What the first of the processes to fail told; None where none did."""
    if not path.is_file():
        return None
    name, message, hint = json.loads(path.read_text(encoding="utf-8"))
    return getattr(errors, name, SluiceError)(message, hint)


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
