"""The course of a tuning, as the Trainer logged it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.errors import SluiceError
from sluicegate.training.tuning_config import TuningConfig

POINT = ("step", "loss", "grad_norm", "learning_rate")


def read_curve(
    log_history: Sequence[Mapping[str, Any]], doing: str, config: TuningConfig, more: Sequence[str] = ()
) -> list[dict[str, float]]:
    """`POINT` and `more` at every step that was logged.

    Args:
        doing: what diverged if it did, such as `fine-tuning`.

    Raises:
        SluiceError: a loss is no number: the Trainer goes on for ever with it, and by default does not even log it.
    """
    curve = [{name: entry[name] for name in (*POINT, *more)} for entry in log_history if "loss" in entry]
    if lost := next((point for point in curve if not math.isfinite(point["loss"])), None):
        what = f"{doing} diverged: the loss is {lost['loss']} at step {lost['step']}"
        raise SluiceError(what, f"lower learning_rate, now {config.peak_rate:g}")
    return curve
