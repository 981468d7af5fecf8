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
        first, *others = dict.fromkeys(arm["budget"] for arm in judged)
        parts = [f"{_winners(_at(first, judged))}{_others(_at(first, judged))}"]
        parts += [_winners(_at(budget, judged)) for budget in others]
        budgets = [f"{'At' if budget == first else 'at'} {budget} " for budget in (first, *others)]
        return "; ".join(f"{at}{part}" for at, part in zip(budgets, parts, strict=True)) + "."
    found = sorted((s for s in signals if s["auroc"] is not None), key=lambda s: -s["auroc"])
    if not found:
        return "Nothing was trained and no fault is known, so nothing tells which signal is worth its cost."
    said = f"{found[0]['signal']} tells clean rows from faulty ones best, AUROC {decimals(found[0]['auroc'], 3)}"
    return f"{said}; whether training on what it chooses is worth more was not tried."


def _at(budget: str, arms: Sequence[Row]) -> list[Row]:
    """Those of a budget, the best first."""
    return sorted((arm for arm in arms if arm["budget"] == budget), key=lambda arm: -arm["gain"]["mean"])


def _winners(arms: list[Row]) -> str:
    """What beats a random choice; of several that are not told apart none is called the best."""
    leaders = [arm for arm in arms if arm["ties_with_best"]]
    if not leaders:
        return "nothing beats a random choice"
    terms = " with the same trusted rows" if all(arm["trusted"] for arm in leaders) else ""
    terms += " under the one seed that was tried" if all(arm["seeds"] == 1 for arm in arms) else ""
    if len(leaders) == 1:
        return f"{_called(leaders[0])} beats random{terms} by {_size(leaders[0], sign=False)}"
    said = f"{_names(leaders)} beat random{terms}, by up to {_size(leaders[0], sign=False)}, and are not told apart"
    priced = [arm for arm in leaders if arm["forward_units"] is not None]
    if not priced:
        return said
    cheapest = min(priced, key=lambda arm: arm["forward_units"])
    cost = f"{decimals(cheapest['forward_units'], 1)} forward passes"
    return f"{said} ({_called(cheapest)} is the cheapest of them, {cost})"


def _others(arms: list[Row]) -> str:
    """What became of the arms that do not win."""
    less, even, worse = ([arm for arm in arms if arm["verdict"] == said] for said in VERDICTS)
    less = [arm for arm in less if not arm["ties_with_best"]]
    near = f", {_size(even[0])}" if even and even[0] is arms[0] else ""
    parts = [f"{_few(less)} {_verb(less, 'beats', 'beat')} it by less"] if less else []
    parts += [f"{_few(even)} {_verb(even, 'is', 'are')} within noise{near}"] if even else []
    parts += [f"{_few(worse)} {_verb(worse, 'falls', 'fall')} behind it"] if worse else []
    return f"; {', '.join(parts)}" if parts else ""


def _size(arm: Row, sign: bool = True) -> str:
    write, unit = (nats, "nats") if arm["metric"] == "loss" else (points, "points")
    mean, low, high = (write(arm["gain"][key], sign=sign and key == "mean") for key in ("mean", "low", "high"))
    return f"{mean} {unit} [{low}, {high}]"


def _few(arms: Sequence[Row]) -> str:
    return _names(arms) if len(arms) < NAMED else f"{len(arms)} arms"


def _names(arms: Sequence[Row]) -> str:
    names = [_called(arm) for arm in arms]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} others"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _called(arm: Row) -> str:
    return f"{arm['signal']} ({arm['rule']})"


def _verb(arms: Sequence[Row], one: str, many: str) -> str:
    return one if len(arms) == 1 else many
