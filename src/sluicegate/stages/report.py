"""Put the arms of a comparison side by side: a page, its Markdown twin and the numbers as JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sluicegate.artifacts import Artifact, write_json
from sluicegate.errors import ArtifactError
from sluicegate.registry import did_you_mean
from sluicegate.runtime import console, warn
from sluicegate.stages.base import Stage
from sluicegate.stages.regrade import kept_predictions

if TYPE_CHECKING:
    from sluicegate.reporting.pairwise import Comparison, Side


class Report(Stage):
    """`arms` maps an arm's name to its evaluations, one per training seed.

    On the command line `sluice report BASE OTHER ...` names the arms after their steps and sets all against the first.
    """

    name, makes, takes = "report", "report", {"arms": "evaluation"}
    grouped = frozenset({"arms"})
    version = 2

    class Config(Stage.Config):
        title: str = "Which rows are worth training on?"
        """Heading of the page."""
        against: str = "random"
        """The arm every other arm is compared with."""
        examples: int = Field(20, ge=0)
        """How many rows to show with why they were kept or dropped; half of them kept."""
        questions: int = Field(10, ge=0)
        """How many of the questions to show that an arm answers right and the other wrong, each way; the table
        `questions.csv` has them all."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Write `summary.json`, `report.md` and `report.html`; of replies that are known `comparison.json`,
        `comparison.md` and CSV tables too."""
        from sluicegate.evaluation import stats
        from sluicegate.reporting import markdown, page
        from sluicegate.reporting.summary import summarize

        arms: dict[str, list[Artifact]] = inputs["arms"]
        if config.against not in arms:
            warn(f"report compares nothing: no arm '{config.against}'. {did_you_mean(config.against, arms)}".strip())
        summary = summarize(config.title, arms, config.against, config.examples, stats)
        sides = _sides(arms)
        comparison = _compared(out, config, sides) if sides else None
        write_json(out / "summary.json", summary)
        (out / "report.md").write_text(markdown.render(summary), encoding="utf-8")
        (out / "report.html").write_text(page.render(summary, comparison), encoding="utf-8")
        return {"headline": summary["headline"], "arms": len(summary["arms"]), "examples": len(summary["examples"])}

    def show(self, artifact: Artifact) -> None:
        """The headline, where the page is, and the table of the arms."""
        from sluicegate.reporting.console import arms_table

        summary = json.loads((artifact.path / "summary.json").read_text(encoding="utf-8"))
        console().print(f"{summary['headline']}\n{artifact.path / 'report.html'}", markup=False, soft_wrap=True)
        console().print(arms_table(summary))


def _sides(arms: Mapping[str, Sequence[Artifact]]) -> list[Side]:
    """What every arm replied; nothing where no arm was graded, or not all replies are known."""
    from sluicegate.reporting.costs import cost_of
    from sluicegate.reporting.lineage import trace
    from sluicegate.reporting.pairwise import Side

    try:
        replies = {name: [kept_predictions(evaluation) for evaluation in found] for name, found in arms.items()}
    except ArtifactError as err:
        warn(f"report compares nothing question by question: {err.message}; {err.hint}")
        return []
    costs = {name: [cost_of(trace(evaluation).model) for evaluation in found] for name, found in arms.items()}
    sides = [Side.of(name, found, costs[name]) for name, found in replies.items()]
    return sides if any(side.questions for side in sides) else []


def _compared(out: Path, config: Any, sides: Sequence[Side]) -> Comparison:
    """The arms question by question, written in all forms but the page."""
    from sluicegate.evaluation import stats
    from sluicegate.evaluation.mcnemar import mcnemar
    from sluicegate.evaluation.metrics import measure
    from sluicegate.reporting import pairwise

    methods = pairwise.Methods(stats.paired_difference, mcnemar, measure)
    found = pairwise.compare(sides, config.against, config.questions, methods)
    write_json(out / "comparison.json", found)
    (out / "comparison.md").write_text(pairwise.markdown(config.title, found), encoding="utf-8")
    for name, text in pairwise.csv_tables(found, sides).items():
        (out / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return found
