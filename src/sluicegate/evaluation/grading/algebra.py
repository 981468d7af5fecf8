"""Algebra by math-verify, in a process of its own that is killed when its time is up.

A signal, which is how math-verify limits itself, waits for the interpreter: it ends no huge power and no loop in C, and
works in the main thread only. A killed process ends whatever it does, and the next question starts another.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sluicegate.errors import MissingError

WORKER = Path(__file__).with_name("algebra_worker.py")
START_SECONDS = 120
"""How long the process may take to import what it needs."""


class OutOfTime(Exception):
    """Algebra came to no end within its time limit, or at all."""


class Algebra:
    """Whether two answers are equal; the process starts with the first question and ends with this object."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._is_ready = False
        self._stop: Callable[[], object] = lambda: None
        self._known: dict[tuple[str, str], bool | None] = {}

    def is_equal(self, answer: str, gold: str) -> bool:
        """Ask, or remember.

        Raises:
            OutOfTime: the process took too long, or died.
        """
        pair = (answer, gold)
        if pair not in self._known:
            self._known[pair] = self._ask(pair)
        equal = self._known[pair]
        if equal is None:
            raise OutOfTime
        return equal

    def close(self) -> None:
        """End the process; another question starts a new one."""
        self._stop()
        self._process = None

    def _ask(self, pair: tuple[str, str]) -> bool | None:
        process = self._process or self._start()
        if not self._is_ready and _reply(process, START_SECONDS) is None:
            raise MissingError("math-verify does not start", "pip install 'math-verify[antlr4_9_3]'")
        self._is_ready = True
        told = _exchange(process, json.dumps(pair), self._seconds)
        if told is None:
            self.close()
            self._start()  # it gets ready while other answers are read
            return None
        return bool(json.loads(told))

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", str(WORKER)]  # -P: its folder is no place to import from
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True)
        self._stop = weakref.finalize(self, _end, self._process)
        self._is_ready = False
        return self._process


def _exchange(process: subprocess.Popen[str], line: str, seconds: float) -> str | None:
    """One question and its answer; None where there is none in time."""
    assert process.stdin
    try:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return None
    return _reply(process, seconds)


def _reply(process: subprocess.Popen[str], seconds: float) -> str | None:
    assert process.stdout
    is_there, _, _ = select.select([process.stdout], [], [], seconds)
    return (process.stdout.readline() or None) if is_there else None


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
