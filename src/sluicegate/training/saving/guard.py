"""The divergence guard: a step whose loss is no number, or leaps, is not taken."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from statistics import median

from sluicegate.errors import SluiceError
from sluicegate.training.saving.guard_config import GuardConfig


class Diverged(Exception):
    """A step went astray, and was not taken.

    Args:
        step: the number it would have had, from 1.
        why: what is wrong with it, in words.
    """

    def __init__(self, step: int, loss: float, why: str) -> None:
        super().__init__(why)
        self.step, self.loss, self.why = step, loss, why

    def told(self, doing: str, rate: float, rewinds: int) -> SluiceError:
        """What the user is told when it is given up.

        Args:
            doing: what diverged, such as `fine-tuning`.
            rate: the peak of the learning rate it had.
            rewinds: how often it went back.
        """
        again = f", after {rewinds} rewind{'s' * (rewinds > 1)}" if rewinds else ""
        return SluiceError(
            f"{doing} diverged: {self.why} at step {self.step}{again}", f"lower learning_rate, now {rate:g}"
        )


class Guard:
    """Knows the losses of the last steps."""

    def __init__(self, config: GuardConfig) -> None:
        self.config = config
        self.losses: deque[float] = deque(maxlen=config.window)
        self.confirmed = True
        """Whether a good step followed the last checkpoint: before that, what is wrong may be wrong in it already."""

    def fault(self, loss: float, grad_norm: float) -> str | None:
        """What is wrong with a step; None where nothing is, and then its loss is remembered."""
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(grad_norm):
            return f"the length of the gradient is {grad_norm}"
        if self.config.spike and len(self.losses) == self.config.window:
            usual = median(self.losses)
            if loss > self.config.spike * usual > 0:
                return f"the loss is {loss:.4g}, {loss / usual:.3g} times the median of {self.config.window} steps,"
        self.losses.append(loss)
        return None

    def put_back(self, losses: Iterable[float]) -> None:
        """Know other losses, as they were at a checkpoint."""
        self.losses = deque(losses, maxlen=self.config.window)
