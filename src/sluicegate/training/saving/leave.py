"""A signal to end, heard in the middle of a training: the step is finished first, and its state saved."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

from sluicegate.runtime import rank

SIGNALS = (signal.SIGTERM, signal.SIGINT)
ECHO_S = 1.0
"""A launcher passes on a signal that its processes had from the terminal already."""


class Leave:
    """While entered, the first SIGTERM or Ctrl-C is only noted; the next one ends the process at once."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.asked_at: float | None = None
        self.agreed = False
        """Whether any process of the run was asked, as all of them know."""

    @property
    def asked(self) -> bool:
        """Whether this process was asked to end."""
        return self.asked_at is not None

    def __enter__(self) -> Leave:
        ours = threading.current_thread() is threading.main_thread()
        self.before = {number: signal.signal(number, self._hear) for number in SIGNALS} if ours else {}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.asked_at is None:
            self.asked_at = now
            if rank() == 0:  # written past the console and the log, whose locks the signal may have come amid
                os.write(2, f"  {self.doing} ends after this step; a second signal ends it at once\n".encode())
        elif now - self.asked_at > ECHO_S:
            raise KeyboardInterrupt
