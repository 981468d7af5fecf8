"""How long each step of a training takes, without evaluations and checkpoints, and the memory it needs."""

from __future__ import annotations

import resource
import sys
import time
from typing import Any

import torch
from transformers import TrainerCallback


class Pace(TrainerCallback):
    """Adds to the log of every step its `seconds`, and as `memory` the bytes this process needed at its peak so far.

    Must come before what reads them.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.seconds, self.since = device, 0.0, 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The first step begins with the reading of its rows."""
        self.since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step is done, and the next begins."""
        now = time.perf_counter()
        self.seconds, self.since = now - self.since, now

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """What has passed since the step was no training."""
        self.since = time.perf_counter()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Nor this."""
        self.since = time.perf_counter()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Of a step, not of an evaluation."""
        if "loss" in logs:
            state.log_history[-1].update(seconds=self.seconds, memory=peak_memory(self.device))


def peak_memory(device: torch.device) -> int:
    """Bytes at the peak: allocated on a GPU, else resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
