"""Put the arms of a comparison side by side: a page, its Markdown twin and the numbers as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from sluicegate.artifacts import Artifact, write_json
from sluicegate.registry import did_you_mean
from sluicegate.runtime import console, warn
from sluicegate.stages.base import Stage


class Report(Stage):
    """`arms` maps an arm's name to its evaluations, one per training seed."""

    name, makes, takes = "report", "report", {"arms": "evaluation"}
    grouped = frozenset({"arms"})

    class Config(Stage.Config):
        title: str = "Which rows are worth training on?"
        """Heading of the page."""
        against: str = "random"
        """The arm every other arm is compared with."""
        examples: int = Field(20, ge=0)
        """How many rows to show with why they were kept or dropped; half of them kept."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        from sluicegate.evaluation import stats
        from sluicegate.reporting import markdown, page
        from sluicegate.reporting.summary import summarize

        arms: dict[str, list[Artifact]] = inputs["arms"]
        if config.against not in arms:
            warn(f"report compares nothing: no arm '{config.against}'. {did_you_mean(config.against, arms)}".strip())
        summary = summarize(config.title, arms, config.against, config.examples, stats)
        write_json(out / "summary.json", summary)
        (out / "report.md").write_text(markdown.render(summary), encoding="utf-8")
        (out / "report.html").write_text(page.render(summary), encoding="utf-8")
        return {"headline": summary["headline"], "arms": len(summary["arms"]), "examples": len(summary["examples"])}

    def show(self, artifact: Artifact) -> None:
        from sluicegate.reporting.console import arms_table

        summary = json.loads((artifact.path / "summary.json").read_text(encoding="utf-8"))
        console().print(f"{summary['headline']}\n{artifact.path / 'report.html'}", markup=False, soft_wrap=True)
        console().print(arms_table(summary))
