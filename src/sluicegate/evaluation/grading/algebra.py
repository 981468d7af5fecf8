"""Algebra by math-verify, in a process of its own that the system kills when its time is up.

An exception raised by a signal, which is how math-verify limits itself, waits for the interpreter: it ends no huge
power and no loop in C, and works in the main thread only. A killed process ends whatever it does, and another stands in
its place at once. Its time is the processor's, so that a busy machine grades as an idle one does.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sluicegate.errors import MissingError

WORKER = Path(__file__).with_name("algebra_worker.py")
PATIENCE = 10
"""How many times its limit it is waited for, should the processor be busy with other things."""
START_SECONDS = 300
"""How long the process may take to import what it needs."""


class OutOfTime(Exception):
    """Algebra came to no end within its time limit, or at all."""


class Algebra:
    """Whether two answers are equal; the process starts with the first question and ends with this object."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._child: list[int] = []
        """The process that works, for the one above only replaces it; empty until it has told its number."""
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
        """None where there is no answer in time; then the child is killed, whatever it does."""
        process, number = self._ready(), len(self._known)
        assert process.stdin
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps([number, self._seconds, *pair]).encode() + b"\n")
        until = time.monotonic() + PATIENCE * self._seconds
        while isinstance(told := _line(process, until - time.monotonic()), list):
            if told[0] == number:
                return bool(told[1])
        if told is None:
            _kill(self._child)
        self._child[:] = [] if told is None else [told]  # an id instead of an answer: the child died of the question
        return None

    def _ready(self) -> subprocess.Popen[bytes]:
        process = self._process or self._start()
        while not self._child:
            told = _line(process, START_SECONDS)
            if told is None:
                self.close()
                raise MissingError("math-verify does not start", "pip install 'math-verify[antlr4_9_3]'")
            self._child[:] = [told] if isinstance(told, int) else []
        return process

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", str(WORKER)]  # -P: its folder is no place to import from
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, bufsize=0)
        self._child = []
        self._stop = weakref.finalize(self, _end, self._process, self._child)
        return self._process


def _line(process: subprocess.Popen[bytes], seconds: float) -> Any:
    """The next line the process writes; None where there is none in time, or no process."""
    assert process.stdout
    is_there, _, _ = select.select([process.stdout], [], [], max(0.0, seconds))
    line = process.stdout.readline() if is_there else b""
    return json.loads(line) if line else None


def _kill(child: list[int]) -> None:
    for pid in child:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], child: list[int]) -> None:
    process.kill()
    _kill(child)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
