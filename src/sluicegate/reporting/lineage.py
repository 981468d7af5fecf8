"""From an evaluation back to its rows: evaluation -> model -> selection -> scores -> messages.

A trial is both, the evaluation and the model that it did not keep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sluicegate.artifacts import Artifact


@dataclass(frozen=True)
class Run:
    """One evaluated model and what it was made from; what a run did not use is None."""

    evaluation: Artifact
    model: Artifact | None
    data: Artifact | None
    """The rows before any selection, or all the rows there were."""
    selection: Artifact | None
    scores: Artifact | None
    trusted: Artifact | None
    """Rows added to those of `data`."""

    @cached_property
    def metrics(self) -> dict:
        """`metrics.json`."""
        return json.loads((self.evaluation.path / "metrics.json").read_text(encoding="utf-8"))

    @cached_property
    def correct(self) -> dict[str, bool]:
        """Question id to whether it was answered right; questions without an answer are not in it."""
        rows = self.evaluation.rows("predictions", ["id", "correct"])
        return {row["id"]: row["correct"] for row in rows if row["correct"] is not None}

    @cached_property
    def losses(self) -> dict[tuple[str, int], float]:
        """Id and number of label tokens of every gold reply to its mean loss; replies without tokens are not in it."""
        rows = self.evaluation.rows("predictions", ["id", "n_label_tokens", "loss"])
        return {(row["id"], row["n_label_tokens"]): row["loss"] for row in rows if row["loss"] is not None}

    @cached_property
    def kept(self) -> list[str] | None:
        """Ids of the kept rows, best first; None without a selection."""
        if self.selection is None:
            return None
        decisions = (row for row in self.selection.rows("selection", ["id", "kept", "rank"]) if row["kept"])
        return [row["id"] for row in sorted(decisions, key=lambda row: row["rank"])]

    @property
    def ranked_by(self) -> str:
        """The signal its selection ranked by; empty for a rule that reads none."""
        return self.selection.manifest["config"]["by"] if self.selection else ""

    @property
    def seconds(self) -> float | None:
        """Time its training took; None for a model made elsewhere."""
        return self.model.seconds if self.model and "made" in self.model.manifest else None


@dataclass(frozen=True)
class Arm:
    """One way to choose the rows, trained once per seed."""

    name: str
    runs: list[Run]

    @property
    def first(self) -> Run:
        """The run whose rows stand for the arm where one example is enough."""
        return self.runs[0]


def trace(evaluation: Artifact) -> Run:
    """Follow an evaluation's inputs up to the rows its model saw."""
    asked = evaluation
    while asked.manifest["stage"] == "regrade":
        asked = asked.parent("evaluation")
    model = asked if asked.manifest["stage"] == "trial" else _input(asked, "model")
    selection = _input(model, "selection")
    scores = _input(selection, "scores")
    data = _input(scores, "data") or _input(model, "data")
    return Run(evaluation, model, data, selection, scores, _input(model, "trusted"))


def _input(artifact: Artifact | None, name: str) -> Artifact | None:
    return artifact.parent(name) if artifact and name in artifact.manifest["inputs"] else None


def trace_arms(arms: Mapping[str, Sequence[Artifact]]) -> list[Arm]:
    """Every arm with its runs, in the order the recipe gives them."""
    return [Arm(name, [trace(evaluation) for evaluation in evaluations]) for name, evaluations in arms.items()]
