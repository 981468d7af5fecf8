"""The course of a tuning, as the Trainer logged it step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from statistics import fmean
from typing import Any

from sluicegate.errors import SluiceError
from sluicegate.training.tuning_config import TuningConfig
from sluicegate.training.watching.held_out_metrics import LOGGED

POINT = ("loss", "grad_norm", "learning_rate")
POINTS = 20

History = Sequence[Mapping[str, Any]]
"""`log_history` of a Trainer: an entry for every step, and others."""


def read_curve(
    log_history: History, doing: str, config: TuningConfig, more: Sequence[str] = ()
) -> list[dict[str, float]]:
    """`step`, `POINT` and `more` at about 20 steps, the last among them: means since the point before.

    Args:
        doing: what diverged if it did, such as `fine-tuning`.

    Raises:
        SluiceError: a loss is no number: the Trainer goes on for ever with it, and by default does not even log it.
    """
    steps = steps_of(log_history)
    if lost := next((entry for entry in steps if not math.isfinite(entry["loss"])), None):
        what = f"{doing} diverged: the loss is {lost['loss']} at step {lost['step']}"
        raise SluiceError(what, f"lower learning_rate, now {config.peak_rate:g}")
    every = max(1, len(steps) // POINTS)
    ends = range(len(steps), 0, -every)
    return [point(steps[max(0, end - every) : end], (*POINT, *more)) for end in reversed(ends)]


def steps_of(log_history: History) -> History:
    """The entries of training steps."""
    return [entry for entry in log_history if "loss" in entry]


def steps_after(log_history: History, step: int) -> History:
    """The entries of training steps beyond one."""
    return steps_of(list(takewhile(lambda entry: entry["step"] > step, reversed(log_history)))[::-1])


def point(steps: History, names: Sequence[str]) -> dict[str, float]:
    """What some steps that follow one another come to: the last step, its learning rate, and means of the rest."""
    told = {name: fmean(entry[name] for entry in steps) for name in names}
    return {"step": steps[-1]["step"], **told, "learning_rate": steps[-1]["learning_rate"]}


def read_evaluations(log_history: History) -> list[dict[str, float]]:
    """`step` and every metric of each evaluation, by the names users know."""
    evaluations = [entry for entry in log_history if f"{LOGGED}loss" in entry]
    return [{"step": entry["step"], **metrics_of(entry)} for entry in evaluations]


def metrics_of(entry: Mapping[str, float]) -> dict[str, float]:
    """The held-out metrics among the numbers of an evaluation."""
    return {name.removeprefix(LOGGED): value for name, value in entry.items() if name.startswith(LOGGED)}
