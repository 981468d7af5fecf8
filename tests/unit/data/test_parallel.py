"""The same results in the same order, however many processes there are and whatever happens to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sluicegate.data.parallel import AHEAD, ordered
from sluicegate.errors import SluiceError


def double() -> Callable[[int], tuple[int, int]]:
    return lambda n: (2 * n, os.getpid())


def slow_first() -> Callable[[int], int]:
    return _slow_first


def _slow_first(n: int) -> int:
    time.sleep(0.3 if n == 0 else 0)
    return n


def deadly() -> Callable[[int], int]:
    return _deadly


def _deadly(n: int) -> int:
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def failing() -> Callable[[int], int]:
    return _failing


def _failing(n: int) -> int:
    if n == 3:
        raise ValueError("three")
    return n


def test_one_worker_is_this_process() -> None:
    assert list(ordered(double, range(5), workers=1)) == [(2 * n, os.getpid()) for n in range(5)]


def test_few_items_start_no_process() -> None:
    found = list(ordered(double, range(5), workers=2, first_here=5))
    assert {pid for _, pid in found} == {os.getpid()}


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(ordered(slow_first, range(20), workers=2)) == list(range(20))
    doubled = list(ordered(double, range(20), workers=2, first_here=3))
    assert [n for n, _ in doubled] == [2 * n for n in range(20)]
    assert [pid == os.getpid() for _, pid in doubled] == [True] * 3 + [False] * 17


def test_items_are_taken_no_further_ahead_than_workers_need() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for n in range(100):
            taken += 1
            yield n

    with closing(ordered(slow_first, items(), workers=2)) as results:
        for done, _ in zip(range(1, 20), results, strict=False):
            assert taken <= done + 2 * AHEAD + 1


def test_what_a_worker_raises_is_raised_here() -> None:
    with pytest.raises(ValueError, match="three"):
        list(ordered(failing, range(9), workers=2))


def test_a_worker_that_was_killed_is_told() -> None:
    with pytest.raises(SluiceError, match="a worker process of the preparation died") as caught:
        list(ordered(deadly, range(9), workers=2))
    assert "workers=1" in caught.value.hint


PROGRAM = """
import os, sys, time
sys.path.insert(0, {folder!r})
from test_parallel import endless
from sluicegate.data.parallel import ordered
for pid in ordered(endless, iter(int, 1), workers=2):
    print(pid, flush=True)
"""


def endless() -> Callable[[int], int]:
    return _endless


def _endless(n: int) -> int:
    time.sleep(0.01)
    return os.getpid()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_the_workers_end_with_the_script_that_started_them_and_do_not_run_it_again(
    sign: signal.Signals, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(folder=str(Path(__file__).parent)), encoding="utf-8")
    running = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout
    workers = {int(running.stdout.readline()) for _ in range(20)}
    running.send_signal(sign)
    _, said = running.communicate(timeout=30)
    assert said.count("Traceback") == (sign == signal.SIGINT), "the workers say nothing"
    deadline = time.monotonic() + 10
    while any(map(_is_there, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_there, workers))


def _is_there(pid: int) -> bool:
    try:
        return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().split()[2]
    except OSError:
        return False
