"""How far a step is where no bar can be drawn, in a batch job or a pipe: a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rich.progress import Progress, Task, TaskID

SILENCE = 30.0
"""Seconds between two lines; what takes less says nothing."""


class ProgressLines(Progress):
    """rich's display without a display.

    Args:
        say: what takes a line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(disable=True)
        self._say, self._told = say, time.monotonic()

    def stop(self) -> None:
        """End; rich itself would print an empty line."""

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Count what is done."""
        super().advance(task_id, advance)
        self._tell(task_id)

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Take over what is known of a task."""
        super().update(task_id, **changes)
        self._tell(task_id)

    def _tell(self, task_id: TaskID) -> None:
        now = time.monotonic()
        if now - self._told >= SILENCE:
            self._told = now
            self._say(f"  {line(self._tasks[task_id])}")


def line(task: Task) -> str:
    """A task in words: `score: 400 of 2,800, 1:40 passed, 10:00 left`."""
    total = "" if task.total is None else f" of {task.total:,.0f}"
    passed = f", {clock(task.elapsed)} passed" if task.elapsed else ""
    left = f", {clock(task.time_remaining)} left" if task.time_remaining else ""
    return f"{task.description}: {task.completed:,.0f}{total}{passed}{left}"


def clock(seconds: float) -> str:
    """`1:40`, `2:05:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
