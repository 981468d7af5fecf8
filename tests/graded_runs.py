"""Evaluations without a model: what some replies to some questions come to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sluicegate.artifacts import Artifact
from sluicegate.evaluation.grading import Grader
from sluicegate.evaluation.predictions import Prediction, graded
from sluicegate.stages.evaluate import write_evaluation
from sluicegate.testing import sealed

EMPTY: dict[str, Any] = dict.fromkeys(Prediction.__annotations__)


def predictions(replies: Mapping[str, tuple[str | None, str | None]]) -> list[Prediction]:
    """One per id, of a reply and a gold answer."""
    grader = Grader()
    rows: list[Any] = [
        {**EMPTY, "id": name, "source": "sums", "prompt": f"{name}?", "output": reply, "gold": gold, "n_tokens": 5,
         "truncated": False, "reviewed": False, "loss": 1.5, "n_label_tokens": 4}
        for name, (reply, gold) in replies.items()
    ]  # fmt: skip
    return [graded(row, grader) for row in rows]


def evaluation(
    root: Path, replies: Mapping[str, tuple[str | None, str | None]], name: str = "", **inputs: Artifact
) -> Artifact:
    """A sealed evaluation of them; one with another name is another."""
    recipe = {"config": {"name": name}}
    return sealed(root, "evaluation", lambda out: write_evaluation(predictions(replies), 1.5, out), inputs, recipe)
