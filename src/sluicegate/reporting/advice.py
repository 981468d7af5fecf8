"""A bake-off in one sentence: what beats a random choice and by how much, and no winner inside the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sluicegate.reporting.numbers import decimals, nats, points

NAMED = 3
"""Arms that are named one by one; of more the number is told."""
Row = Mapping[str, Any]


def advice(arms: Sequence[Row], signals: Sequence[Row]) -> str:
    """About each budget by the arms, or about the signals by known faults where nothing was trained.

    Args:
        arms: those of a bake-off's summary; controls are passed over.
        signals: the same.
    """
    judged = [arm for arm in arms if arm["gain"]]
    if judged:
        parts = [_at(budget, list(rows)) for budget, rows in groupby(judged, key=lambda arm: arm["budget"])]
        return f"{_begun('; '.join(parts))}."
    found = sorted((s for s in signals if s["auroc"] is not None), key=lambda s: -s["auroc"])
    if not found:
        return "Nothing was trained and no fault is known, so nothing tells which signal is worth its cost."
    said = f"{found[0]['signal']} tells clean rows from faulty ones best, AUROC {decimals(found[0]['auroc'], 3)}"
    return f"{said}; whether training on what it chooses is worth more was not tried."


def _begun(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _at(budget: str, rows: list[Row]) -> str:
    """What to do at one budget."""
    best_first = sorted(rows, key=lambda arm: -arm["gain"]["mean"])
    better = [arm for arm in best_first if arm["verdict"] == "better"]
    worse = [arm for arm in rows if arm["verdict"] == "worse"]
    noise = len(rows) - len(better) - len(worse)
    if not better:
        best = best_first[0]
        told = f"at {budget} nothing beats a random choice: the best, {_called(best)}, is within noise, {_size(best)}"
    else:
        told = f"at {budget} {_leaders([arm for arm in better if arm['ties_with_best']])}"
        if behind := [arm for arm in better if not arm["ties_with_best"]]:
            told += f", ahead of {_names(behind)}, which {_verb(behind, 'beats', 'beat')} random too"
        told += f"; {_count(noise)} within noise" if noise else ""
    return told + (f"; {_names(worse)} {_verb(worse, 'falls', 'fall')} behind it" if worse else "")


def _leaders(leaders: list[Row]) -> str:
    terms = " with the same trusted rows" if all(arm["trusted"] for arm in leaders) else ""
    said = f"{_names(leaders)} {_verb(leaders, 'beats', 'beat')} random{terms}"
    if len(leaders) == 1:
        return f"{said} by {_size(leaders[0])}"
    cheapest = min(leaders, key=lambda arm: arm["forward_units"])
    cost = f"{decimals(cheapest['forward_units'], 1)} forward passes"
    return (
        f"{said}, by {_size(leaders[0])} at most, and are not told apart; the cheapest is {_called(cheapest)}, {cost}"
    )


def _size(arm: Row) -> str:
    write, unit = (nats, "nats") if arm["metric"] == "loss" else (points, "points")
    mean, low, high = (write(arm["gain"][key], sign=key == "mean") for key in ("mean", "low", "high"))
    return f"{mean} {unit} [{low}, {high}]"


def _names(arms: Sequence[Row]) -> str:
    names = [_called(arm) for arm in arms]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _called(arm: Row) -> str:
    return f"{arm['signal']} ({arm['rule']})"


def _verb(arms: Sequence[Row], one: str, many: str) -> str:
    return one if len(arms) == 1 else many


def _count(n: int) -> str:
    return "one arm is" if n == 1 else f"{n} arms are"
