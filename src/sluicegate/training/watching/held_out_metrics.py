"""What is measured on held-out rows, by the names users know it by, and which way is better."""

from __future__ import annotations

ROWS = ("loss",)
"""Of conversations: nats per label token."""
PAIRS = ("loss", "accuracy", "margin")
"""Of pairs: the mean of the loss that is trained on, the share whose chosen side has the higher reward, and the mean of
how much higher it is."""
LOGGED = "eval_"
"""Stands before a metric's name in the log of a transformers `Trainer`, which knows it by that."""


def improves(metric: str, value: float, best: float, by: float = 0.0) -> bool:
    """Whether a value is better than the best so far by more than `by`; a loss that is lower is better."""
    return best - value > by if metric == "loss" else value - best > by
