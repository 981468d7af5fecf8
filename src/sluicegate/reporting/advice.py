"""A bake-off in one sentence: what beats a random choice and by how much, and no winner inside the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.reporting.numbers import decimals, nats, points

NAMED = 3
"""Arms that are named one by one; of more the number is told."""
VERDICTS = ("better", "within noise", "worse")
Row = Mapping[str, Any]


def advice(arms: Sequence[Row], signals: Sequence[Row]) -> str:
    """About each budget by the arms, or about the signals by known faults where nothing was trained.

    Args:
        arms: those of a bake-off's summary; controls are passed over.
        signals: the same.
    """
    judged = [arm for arm in arms if arm["gain"]]
    if judged:
        budgets = dict.fromkeys(arm["budget"] for arm in judged)
        parts = [_at(budget, [arm for arm in judged if arm["budget"] == budget]) for budget in budgets]
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
    better, even, worse = ([arm for arm in best_first if arm["verdict"] == said] for said in VERDICTS)
    if better:
        parts = [_leaders([arm for arm in better if arm["ties_with_best"]])]
        if behind := [arm for arm in better if not arm["ties_with_best"]]:
            parts[0] += f", ahead of {_names(behind)}, which {_verb(behind, 'beats', 'beat')} random too"
        parts += [f"{'one arm is' if len(even) == 1 else f'{len(even)} arms are'} within noise"] if even else []
    else:
        parts = ["nothing beats a random choice"]
        parts += [f"the best, {_called(even[0])}, is within noise, {_size(even[0])}"] if even else []
    parts += [f"{_names(worse)} {_verb(worse, 'falls', 'fall')} behind random"] if worse else []
    return f"at {budget} {', '.join(parts)}"


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
