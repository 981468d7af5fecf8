"""What an exported model answered, and what a model tuned on a random choice did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sluicegate.artifacts import Artifact
from sluicegate.errors import ArtifactError
from sluicegate.reporting.lineage import Run, trace
from sluicegate.reporting.outcomes import Metric
from sluicegate.reporting.summary import Statistics, summarize

MODEL, CONTROL = "this model", "control"


@dataclass(frozen=True)
class Result:
    """One evaluation, and perhaps a control's beside it."""

    metric: Metric
    arms: Sequence[Mapping[str, Any]]
    """Of this model first: see `reporting.summary`."""
    difference: Mapping[str, Any] | None
    """Of this model minus the control, with its interval; None without one."""
    headline: str
    asked: Run
    control: Run | None


def result_of(
    model: Artifact, evaluation: Artifact | None, control: Artifact | None, stats: Statistics
) -> Result | None:
    """The evaluation of a model, set against its control where there is one; None without evaluation.

    Raises:
        ArtifactError: the evaluation is another model's, or the two were asked nothing in common.
    """
    if evaluation is None:
        return None
    if evaluation.inputs.get("model") != model.id:
        hint = "give the evaluation of the model that is exported"
        raise ArtifactError(f"{evaluation.id} is not an evaluation of {model.id}", hint)
    arms = {MODEL: [evaluation]} | ({CONTROL: [control]} if control else {})
    summary = summarize("", arms, CONTROL, 0, stats)
    if control and not summary["differences"]:
        raise ArtifactError(f"{evaluation.id} and {control.id} share no question", "evaluate both on the same data")
    difference = summary["differences"][0] if control else None
    asked, beside = trace(evaluation), trace(control) if control else None
    return Result(summary["metric"], summary["arms"], difference, summary["headline"], asked, beside)
