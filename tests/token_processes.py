"""Rows encoded in processes of their own: one that is shot dead, and several that want the same."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from dying_runs import forks
from sluicegate.models.encode import Encoder
from sluicegate.models.token_cache import EncodedRows, TokenCache
from sluicegate.schema import Record
from sluicegate.testing import tiny_pool

ROWS = 40


def one_by_one(make: Callable[[], Callable[[Any], Any]], items: Iterable[Any]) -> Iterator[Any]:
    """All the work in this process."""
    return map(make(), items)


def encode(folder: Path, encoder: Encoder, read: Callable[[], Iterable[Record]] | None = None) -> EncodedRows:
    """The rows of a tiny pool, through a cache."""
    pool = tiny_pool(ROWS)
    return TokenCache(folder, one_by_one).rows(encoder, [row["id"] for row in pool], read or (lambda: pool), "rows")


def start(target: Callable[..., None], *args: Any) -> Any:
    """A process that does it."""
    process = forks.Process(target=target, args=args)
    process.start()
    return process


def die_while_writing(folder: Path, encoder: Encoder) -> None:
    """Die of SIGKILL in the middle of the rows, some of them written."""
    encode(folder, encoder, _half_of_them)


def _half_of_them() -> Iterator[Record]:
    yield from tiny_pool(ROWS) * 60  # more than a chunk
    os.kill(os.getpid(), signal.SIGKILL)


def encode_slowly(folder: Path, encoder: Encoder, reads: Path) -> None:
    """Encode, and leave a mark in the folder `reads` where it was this process that read the records."""
    encode(folder, encoder, lambda: _slowly(reads))


def _slowly(reads: Path) -> Iterator[Record]:
    (reads / str(os.getpid())).touch()
    time.sleep(0.5)
    yield from tiny_pool(ROWS)
