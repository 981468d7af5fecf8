"""evaluation → evaluation: its replies graded in another way, or as a person judged them, without the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from sluicegate.artifacts import Artifact, file_hash
from sluicegate.errors import ArtifactError
from sluicegate.evaluation.grading import Grader
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.stages.evaluate import write_evaluation

if TYPE_CHECKING:
    from sluicegate.evaluation.predictions import Prediction, Sample


class Regrade(Stage):
    """Grades the replies that an evaluation kept; where a review says what is right, that counts."""

    name = "regrade"
    makes: ClassVar[Kind] = "evaluation"
    takes: ClassVar[dict[str, Kind]] = {"evaluation": "evaluation"}

    class Config(Stage.Config):
        grading: Grader.Config = Grader.Config()
        """How replies are graded."""
        review: Path | None = None
        """A table with the columns `id` and `verdict`, right or wrong, as `sluice review` writes it; rows whose verdict
        is left blank stay as they are graded."""

    def pins(self, config: Any) -> dict[str, str]:
        """The hash of the review."""
        from sluicegate.evaluation.review import review_file

        return {"review": file_hash(review_file(config.review))} if config.review else {}

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """As many rows as before."""
        return {"rows": inputs["evaluation"].get("rows", 0)}

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the files of an evaluation."""
        from sluicegate.evaluation.review import apply_review, read_review

        before = inputs["evaluation"]
        kept = kept_predictions(before)
        grader = Grader(config.grading)
        predictions, samples = _graded(before, kept, grader)
        if config.review:
            predictions = apply_review(predictions, read_review(config.review))
        loss = json.loads((before.path / "metrics.json").read_text(encoding="utf-8"))["loss"]
        pairs = zip(kept, predictions, strict=True)
        changed = sum(before["correct"] != after["correct"] for before, after in pairs)
        return {**write_evaluation(predictions, loss, out, samples), "changed": changed}


def _graded(before: Artifact, kept: Sequence[Prediction], grader: Grader) -> tuple[list[Prediction], list[Sample]]:
    """The predictions graded again; of a question with several replies each of them."""
    from sluicegate.evaluation.predictions import graded, graded_samples

    several: dict[str, list[Sample]] = {}
    if (before.path / "samples.parquet").is_file():
        for row in before.rows("samples"):
            several.setdefault(row["id"], []).append(cast("Sample", row))
    predictions, samples = [], []
    for prediction in kept:
        if prediction["id"] in several:
            prediction, judged = graded_samples(prediction, several[prediction["id"]], grader)
            samples += judged
        else:
            prediction = graded(prediction, grader)
        predictions.append(prediction)
    return predictions, samples


def kept_predictions(evaluation: Artifact) -> list[Prediction]:
    """What a model replied.

    Raises:
        ArtifactError: the evaluation is of a version that kept less.
    """
    from sluicegate.evaluation.predictions import Prediction

    if missing := set(Prediction.__annotations__) - set(evaluation.columns("predictions")):
        what = f"{evaluation.id} has predictions without '{min(missing)}'"
        raise ArtifactError(what, "it was made by an earlier version: evaluate again")
    return cast("list[Prediction]", list(evaluation.rows("predictions")))
