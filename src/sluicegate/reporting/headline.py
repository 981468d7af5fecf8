"""The result in one sentence, and no stronger than its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.reporting.numbers import accuracy, decimals, points


def headline(
    lead: str, against: str, arms: Sequence[Mapping[str, Any]], differences: Sequence[Mapping[str, Any]]
) -> str:
    """The lead arm against the control; by loss where no question has an answer; alone where there is no control."""
    compared = next((d for d in differences if d["arm"] == lead), None)
    if compared:
        return _comparison(compared)
    rows = {arm["arm"]: arm for arm in arms}
    if rows[lead]["accuracy"] is not None:
        return f"{lead} answers {accuracy(rows[lead])} of the questions right"
    losses = [f"{name} {decimals(rows[name]['loss'])}" for name in (lead, against) if name in rows]
    return f"Loss on the held-out rows: {', '.join(dict.fromkeys(losses))} (lower is better; no interval)"


def _comparison(found: Mapping[str, Any]) -> str:
    arm, against = found["arm"], found["against"]
    size, low, high = (points(found[key], sign=False) for key in ("mean", "low", "high"))
    terms = " with the same trusted rows" if found["same_trusted"] else ""
    if found["low"] > 0:
        return f"{arm} beats {against} by {size} points [{low}, {high}]{terms}"
    if found["high"] < 0:
        behind, least, most = (points(-found[key], sign=False) for key in ("mean", "high", "low"))
        return f"{arm} falls behind {against} by {behind} points [{least}, {most}]{terms}"
    return f"{arm} and {against} are within noise: {points(found['mean'])} points [{low}, {high}]{terms}"
