"""The result in one sentence, and no stronger than its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.reporting.numbers import accuracy, bounds, loss, mean, nats, points
from sluicegate.reporting.outcomes import Metric


def headline(
    lead: str, metric: Metric, arms: Sequence[Mapping[str, Any]], differences: Sequence[Mapping[str, Any]]
) -> str:
    """The lead arm against the control, or alone where there is none; by loss where answers tell nothing."""
    compared = next((d for d in differences if d["arm"] == lead), None)
    row = next(arm for arm in arms if arm["arm"] == lead)
    said = _comparison(compared) if compared else _alone(row, metric)
    return f"{_useless(arms)}{said}" if metric == "loss" else said


def _useless(arms: Sequence[Mapping[str, Any]]) -> str:
    """Why the loss stands in for accuracies that are known."""
    known = {arm["accuracy"] for arm in arms} - {None}
    if not known:
        return ""
    return "Every model answers every question right; " if max(known) else "No model answers any question right; "


def _alone(arm: Mapping[str, Any], metric: Metric) -> str:
    if arm[metric] is None:
        return f"{arm['arm']} was measured on nothing: no held-out row has an answer or a reply"
    if metric == "accuracy":
        return f"{arm['arm']} answers {accuracy(arm)} of the questions right"
    return f"{arm['arm']} has a loss of {loss(arm)} on the held-out rows (lower is better)"


def _comparison(found: Mapping[str, Any]) -> str:
    """Differences are the arm's minus the control's, so that better is above 0 for accuracy and below 0 for loss."""
    is_loss = found["metric"] == "loss"
    ahead, behind = ("high", "low") if is_loss else ("low", "high")  # the bounds that decide
    names, terms = (found["arm"], found["against"]), " with the same trusted rows" if found["same_trusted"] else ""
    better = -1 if is_loss else 1
    if found[ahead] * better > 0:
        return f"{names[0]} beats {names[1]}{_size(found, 'lower')}{terms}"
    if found[behind] * better < 0:
        return f"{names[0]} falls behind {names[1]}{_size(found, 'higher')}{terms}"
    noise = f"loss difference {mean(found)} {bounds(found)}" if is_loss else f"{mean(found)} points {_range(found)}"
    return f"{names[0]} and {names[1]} are within noise: {noise}{terms}"


def _range(found: Mapping[str, Any]) -> str:
    return f"[{points(found['low'], sign=False)}, {points(found['high'], sign=False)}]"


def _size(found: Mapping[str, Any], word: str) -> str:
    """How large a difference is, without its sign: ` by 11.7 points [9.0, 15.0]`."""
    write = nats if found["metric"] == "loss" else points
    low, high = sorted(abs(found[key]) for key in ("low", "high"))
    size, least, most = (write(value, sign=False) for value in (abs(found["mean"]), low, high))
    if found["metric"] == "loss":
        return f": loss {word} by {size} [{least}, {most}]"
    return f" by {size} points [{least}, {most}]"
