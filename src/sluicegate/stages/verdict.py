"""scores + selections + evaluations → report: the verdict of a bake-off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from sluicegate.artifacts import Artifact, write_json
from sluicegate.config import Config
from sluicegate.runtime import console
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage


class Entry(Config):
    """What an arm or a choice is; nothing of it for all rows, or for the trusted rows alone."""

    signal: str = ""
    """The contestant that scored."""
    rule: str = ""
    """What the rule is called, or `random`."""
    budget: dict[str, Annotated[float, Field(gt=0)]] = {}
    """How much it keeps."""
    trusted: bool = False
    """Whether trusted rows were known, and trained on."""


class Verdict(Stage):
    """Sets signals against known faults and arms against random choices; `sluice bench` writes its keys."""

    name = "verdict"
    makes: ClassVar[Kind] = "report"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages", "control": "scores", "scores": "scores"}
    may_take: ClassVar[dict[str, Kind]] = {"picks": "selection", "arms": "evaluation"}
    grouped = frozenset({"scores", "picks", "arms"})
    version = 2

    class Config(Stage.Config):
        title: str = "Which rows are worth training on?"
        """Heading of the page."""
        columns: dict[str, str] = {}
        """Contestant to its column, where it has one of its own."""
        picked: dict[str, Entry] = {}
        """What each of `picks` is."""
        trained: dict[str, Entry] = {}
        """What each of `arms` is."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Write `summary.json`, two CSV tables, `report.md` and `report.html`."""
        from sluicegate.evaluation import stats
        from sluicegate.reporting import bake_off
        from sluicegate.reporting.contest import Contest, summarize_contest

        contest = Contest(
            title=config.title,
            data=inputs["data"],
            control=inputs["control"],
            scores=_single(inputs["scores"]),
            columns=config.columns,
            picks=_single(inputs.get("picks", {})),
            picked={name: entry.model_dump() for name, entry in config.picked.items()},
            arms=inputs.get("arms", {}),
            trained={name: entry.model_dump() for name, entry in config.trained.items()},
        )
        summary = summarize_contest(contest, stats)
        write_json(out / "summary.json", summary)
        (out / "report.md").write_text(bake_off.markdown(summary), encoding="utf-8")
        (out / "report.html").write_text(bake_off.page(summary), encoding="utf-8")
        for name, text in bake_off.csv_tables(summary).items():
            (out / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        return {"advice": summary["advice"], "signals": len(summary["signals"]), "arms": len(summary["arms"])}

    def show(self, artifact: Artifact) -> None:
        """The table, the advice and where the page is."""
        from sluicegate.reporting.bake_off import console_table

        summary = json.loads((artifact.path / "summary.json").read_text(encoding="utf-8"))
        console().print(console_table(summary))
        console().print(f"{summary['advice']}\n{artifact.path / 'report.html'}", markup=False, soft_wrap=True)


def _single(groups: Mapping[str, list[Artifact]]) -> dict[str, Artifact]:
    return {name: found[0] for name, found in groups.items()}
