"""model + messages → evaluation: replies graded against gold answers, and the loss of the gold replies."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import Field

from sluicegate.artifacts import Artifact, write_json, write_table
from sluicegate.config import runtime
from sluicegate.errors import DataError
from sluicegate.evaluation.ask_config import AskConfig
from sluicegate.evaluation.contamination import trained_on, with_seen
from sluicegate.evaluation.grading import Grader
from sluicegate.evaluation.task import load_task
from sluicegate.schema import Kind, Record
from sluicegate.stages.base import Sizes, Stage

if TYPE_CHECKING:
    from sluicegate.evaluation.predictions import Prediction, Sample
    from sluicegate.models.load import Loaded


class Evaluate(Stage):
    """The last assistant turn of a row is its gold reply, the turns before it are the prompt.

    A reply is generated where the row has an `answer` to compare it with; every row counts for the loss. An attempt
    that was stopped goes on with the replies it has.
    """

    name = "evaluate"
    makes: ClassVar[Kind] = "evaluation"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "data": "messages"}
    version = 3
    resumes = True

    class Config(AskConfig):
        max_length: int = Field(default=2048, ge=2)
        """Tokens of a row that the loss reads; longer rows are cut at the end and counted. Prompts are never cut."""
        max_rows: int | None = Field(default=None, ge=1)
        """Rows drawn from the data; None takes all."""
        seed: int = 0
        """Decides which rows are drawn, and what replies where there is a temperature."""
        contamination: bool = True
        """Look the questions up in all that the model was trained on, as far as that is known."""
        grading: Grader.Config = Grader.Config()
        """How replies are graded; `sluice regrade` does it again in another way without asking the model."""
        batch_tokens: int = runtime(default=8192, ge=1)
        """Padded tokens per forward pass of the loss."""

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows, and tokens generated at most."""
        known = inputs["data"].get("rows", 0)
        rows = min(config.max_rows or known, known)
        each = config.samples * (config.max_new_tokens or load_task(config.task).max_new_tokens)
        return {"rows": rows, "tokens": rows * each}

    def pins(self, config: Any) -> dict[str, str]:
        """What the task says."""
        return {"task": load_task(config.task).fingerprint()}

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `predictions.parquet`, and what they come to."""
        from sluicegate.models.load import load

        questions, model = drawn(inputs["data"], config), inputs["model"]
        return judge(load(model.path), questions, config, out, trained_on(model))


def judge(loaded: Loaded, rows: Sequence[Record], config: Any, out: Path, taught: Iterable[str] = ()) -> dict[str, Any]:
    """Ask a model the rows' questions, write the files of an evaluation to `out`, return the numbers worth a line.

    Args:
        taught: texts that the model was trained on; none where that is not known.
    """
    from sluicegate.evaluation.examine import examine
    from sluicegate.evaluation.loss import mean_loss, reply_losses
    from sluicegate.evaluation.predictions import question

    questions = [question(row) for row in rows]
    encoder = loaded.encoder(config.max_length)
    losses = reply_losses(loaded, encoder, questions, config.batch_tokens)
    predictions, samples = examine(loaded, encoder, questions, losses, config, Grader(config.grading), out)
    if config.contamination:
        predictions = with_seen(predictions, questions, taught)
    return write_evaluation(predictions, mean_loss(losses), out, samples)


def drawn(data: Artifact, config: Any) -> list[Record]:
    """All rows, or `max_rows` of them in the order of the data; the same for every model."""
    rows = cast(list[Record], list(data.rows("messages")))
    if not rows:
        raise DataError(f"{data.id}: no rows to evaluate on", "look at dropped.parquet beside them")
    if config.max_rows is None or config.max_rows >= len(rows):
        return rows
    places = random.Random(config.seed).sample(range(len(rows)), config.max_rows)
    return [rows[i] for i in sorted(places)]


def write_evaluation(
    predictions: Sequence[Prediction], loss: float | None, out: Path, samples: Sequence[Sample] = ()
) -> dict[str, Any]:
    """Write `predictions.parquet`, every reply where there are several, and what they come to; return the numbers worth
    a line."""
    from sluicegate.evaluation.metrics import as_markdown, csv_rows, measure
    from sluicegate.evaluation.predictions import Prediction, Sample

    write_table(out / "predictions.parquet", predictions, Prediction)
    if samples:
        write_table(out / "samples.parquet", samples, Sample)
    metrics = measure(predictions, loss)
    write_json(out / "metrics.json", metrics)
    (out / "summary.md").write_text(as_markdown(metrics), encoding="utf-8")
    with (out / "summary.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(csv_rows(metrics))
    return {"n": metrics["n"], "accuracy": metrics["accuracy"], "loss": metrics["loss"]}
