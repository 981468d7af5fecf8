"""Arms question by question: what each comes to on the same questions, in parts, and each against the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, TypedDict

from sluicegate.reporting.pairwise.pair import Methods, Pair, pair
from sluicegate.reporting.pairwise.side import Side, in_common

SHARES = ("accuracy", "strict", "flexible", "symbolic", "no_answer", "truncated")
PAST = ("seen", "accuracy_unseen")
PARTS = ("source", "level", "type")


class Comparison(TypedDict):
    """`comparison.json`. Shares and accuracies are between 0 and 1; None is unknown."""

    questions: int
    """That all arms were asked; the numbers of `arms` and `parts` are of these."""
    asked: dict[str, int]
    """That each arm was asked."""
    arms: list[dict[str, Any]]
    """Means over the seeds: the numbers of `metrics.json`, and what the models cost."""
    parts: list[dict[str, Any]]
    """`part`, `name`, `questions` and the `accuracy` of every arm, where a part has several names."""
    pairs: list[Pair]
    """Every other arm against the baseline, on what the two were asked."""


def compare(sides: Sequence[Side], against: str, listed: int, methods: Methods) -> Comparison:
    """Put the arms side by side, and each against the one called `against`, if there is one."""
    questions = in_common(sides)
    measured = {side.name: _measured(side, questions, methods) for side in sides}
    base = next((side for side in sides if side.name == against), None)
    others = [side for side in sides if base and side is not base and in_common([side, base])]
    return {
        "questions": len(questions),
        "asked": {side.name: len(side.questions) for side in sides},
        "arms": [_arm(side, measured[side.name]) for side in sides],
        "parts": list(_parts(measured)),
        "pairs": [pair(side, base, listed, methods) for side in others if base],
    }


def _measured(side: Side, questions: Sequence[str], methods: Methods) -> list[Mapping[str, Any]]:
    """What the replies of every seed come to."""
    return [methods.measure([seed[question] for question in questions], None) for seed in side.seeds]


def _arm(side: Side, seeds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    numbers = {key: _mean([seed[key] for seed in seeds]) for key in (*SHARES, "tokens", *PAST)}
    costs = {key: _mean([getattr(cost, key) for cost in side.costs]) for key in ("seconds", "tokens")}
    trained = {"training_seconds": costs["seconds"], "training_tokens": costs["tokens"]}
    return {"arm": side.name, "seeds": len(side.seeds), **numbers, **trained}


def _parts(measured: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """The questions are the same in all, so any arm knows their parts."""
    first = next(iter(measured.values()))[0]
    for part in PARTS:
        names = first[f"by_{part}"]
        for name, tally in names.items() if len(names) > 1 else ():
            shares = {arm: _mean([seed[f"by_{part}"][name]["accuracy"] for seed in s]) for arm, s in measured.items()}
            yield {"part": part, "name": name, "questions": tally["graded"], "accuracy": shares}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
