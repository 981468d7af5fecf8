"""An arm's replies, by question: what is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from sluicegate.reporting.costs import Cost

Reply = Mapping[str, Any]
"""A row of `predictions.parquet`."""


@dataclass(frozen=True)
class Side:
    """One arm, trained once per seed."""

    name: str
    seeds: Sequence[Mapping[str, Reply]]
    """Of each, the id of every question with an answer to what the model replied."""
    costs: Sequence[Cost]
    """Of each model."""

    @classmethod
    def of(cls, name: str, predictions: Sequence[Iterable[Reply]], costs: Sequence[Cost]) -> Side:
        """The graded rows of an arm's evaluations."""
        graded = [{row["id"]: row for row in rows if row["correct"] is not None} for rows in predictions]
        return cls(name, graded, costs)

    @cached_property
    def questions(self) -> set[str]:
        """What was asked under every seed."""
        return set.intersection(*(set(seed) for seed in self.seeds))

    def right(self, question: str) -> float:
        """The share of the seeds under which it is answered right."""
        return fmean(bool(seed[question]["correct"]) for seed in self.seeds)

    def values(self, questions: Sequence[str]) -> list[list[float]]:
        """1 for right and 0 for wrong, (seeds, questions)."""
        return [[float(seed[question]["correct"]) for question in questions] for seed in self.seeds]

    def reply(self, question: str, right: bool) -> Reply:
        """The first reply with this verdict; that of the first seed where none has it."""
        replies = [seed[question] for seed in self.seeds]
        return next((reply for reply in replies if reply["correct"] == right), replies[0])


def in_common(sides: Sequence[Side]) -> list[str]:
    """The questions that all of them were asked, sorted."""
    return sorted(set.intersection(*(side.questions for side in sides)))
