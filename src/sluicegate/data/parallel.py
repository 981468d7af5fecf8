"""The same work on item after item, on all cores, with the results in the order of the items."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from types import ModuleType
from typing import Any, TypeVar

from sluicegate.errors import SluiceError

A = TypeVar("A")
B = TypeVar("B")

AHEAD = 3
"""Items under way or done and waiting, for every worker: enough to keep it busy, too few to fill the memory."""


def cores() -> int:
    """How many cores this process may use; one where it may not start others."""
    if multiprocessing.current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered(
    make: Callable[[], Callable[[A], B]], items: Iterable[A], workers: int, first_here: int = 0
) -> Generator[B, None, None]:
    """`make()(item)` for every item, in order; what `make` builds is built once in every worker.

    Args:
        workers: how many processes; with one there are no others than this.
        first_here: so many items are worked on in this process, and no other is started if there are no more.

    Raises:
        SluiceError: a worker was killed, or could not start.
    """
    todo = iter(items)
    here = make()
    yield from map(here, todo if workers == 1 else islice(todo, first_here))
    if workers > 1 and (more := list(islice(todo, 1))):
        yield from _elsewhere(make, _chained(more, todo), workers)


def _chained(first: list[A], rest: Iterator[A]) -> Iterator[A]:
    yield from first
    yield from rest


def _elsewhere(make: Callable[[], Callable[[A], B]], items: Iterator[A], workers: int) -> Iterator[B]:
    # A fork of this process could inherit a lock that one of its threads holds: the fork server has no threads.
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload([make.__module__])
    pool = ProcessPoolExecutor(workers, forks, _start, (make,))
    try:
        waiting = deque(_submitted(pool, islice(items, AHEAD * workers)))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(_submitted(pool, islice(items, 1)))
            yield result
    except BrokenProcessPool as err:
        hint = "it may have run out of memory: workers=1 takes least"
        raise SluiceError("a worker process of the preparation died", hint) from err
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, items: Iterable[Any]) -> list[Future[Any]]:
    """What becomes of some items; the pool may start a worker for each.

    A worker that starts imports the program that was started. It needs nothing of it, and where a script has no
    `if __name__ == "__main__":` it would run the script again, and wait for what this process is about to make.
    """
    todo, program = list(items), sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        return [pool.submit(_work, item) for item in todo]
    finally:
        sys.modules["__main__"] = program


_worker: Callable[[Any], Any]


def _start(make: Callable[[], Callable[[Any], Any]]) -> None:
    """What a worker does first: it leaves Ctrl-C to the process that started it, and ends when that one does."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = make()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(item: Any) -> Any:
    return _worker(item)
