"""What the arms are compared by: accuracy where answers tell models apart, else the loss of the gold replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sluicegate.reporting.lineage import Arm, Run

Metric = Literal["accuracy", "loss"]

Question = tuple[str, int]
"""Its id and how much it counts: its label tokens for the loss, so that means are those of `metrics.json`; else 1."""


class Outcomes(NamedTuple):
    """Seeds × questions of one arm."""

    values: list[list[float]]
    weights: list[int]

    def per_seed(self) -> list[float]:
        """The weighted mean under every seed."""
        total = sum(self.weights)
        return [sum(v * w for v, w in zip(row, self.weights, strict=True)) / total for row in self.values]


def choose_metric(arms: Sequence[Arm]) -> Metric:
    """Loss where no question has an answer, or where all replies are wrong or all are right, which says nothing."""
    runs = [run for arm in arms for run in arm.runs]
    if len({right for run in runs for right in run.correct.values()}) == 2:
        return "accuracy"
    return "loss" if any(run.losses for run in runs) else "accuracy"


def shared_questions(runs: Sequence[Run], metric: Metric) -> list[Question]:
    """What every run was measured on, sorted; a reply that two tokenizers split otherwise is not shared."""
    return sorted(set.intersection(*(set(_measured(run, metric)) for run in runs)))


def outcomes(runs: Sequence[Run], questions: Sequence[Question], metric: Metric) -> Outcomes:
    """Accuracy (0 or 1) or loss of every question under every run."""
    values = [[_measured(run, metric)[q] for q in questions] for run in runs]  # (seeds, questions)
    return Outcomes(values, [weight for _, weight in questions])


def _measured(run: Run, metric: Metric) -> dict[Question, float]:
    return run.losses if metric == "loss" else {(i, 1): right for i, right in run.correct.items()}
