from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import graded_runs
from fake_runs import FakeRuns
from sluicegate.config import build
from sluicegate.pipeline import run
from sluicegate.stages.report import Report
from sluicegate.testing import check_config


@pytest.fixture
def runs(tmp_path: Path) -> FakeRuns:
    return FakeRuns(tmp_path / "artifacts", rows=60)


def fill(out: Path, arms: Any, **config: Any) -> dict[str, Any]:
    out.mkdir()
    return Report().fill(out, build(Report.Config, config), {"arms": arms})


def recipe(arms: dict[str, Any], **config: Any) -> dict[str, Any]:
    ids = {name: [artifact.id for artifact in found] for name, found in arms.items()}
    return {"vars": {}, "steps": {"report": {"stage": "report", "arms": ids, **config}}}


def test_the_page_its_twin_and_the_numbers(tmp_path: Path, runs: FakeRuns) -> None:
    numbers = fill(tmp_path / "out", runs.arms(), title="What to keep?", examples=6)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"summary.json", "report.md", "report.html"}
    assert numbers == {"headline": summary["headline"], "arms": 4, "examples": 6}
    assert (tmp_path / "out" / "report.md").read_text().startswith("# What to keep?\n")
    assert "<title>What to keep?</title>" in (tmp_path / "out" / "report.html").read_text()
    check_config(Report.Config)


def test_replies_that_are_known_are_compared_question_by_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, wrong = ("#### 4", "4"), ("#### 5", "4")
    replies = {"base": {"a": right, "b": wrong, "c": wrong}, "tuned": {"a": right, "b": right, "d": right}}
    arms = {name: [graded_runs.evaluation(tmp_path / "store", told, name)] for name, told in replies.items()}
    numbers = fill(tmp_path / "out", arms, against="base")
    found = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert (found["questions"], found["asked"]) == (2, {"base": 3, "tuned": 3})
    assert [(pair["wins"], pair["losses"], pair["p"]) for pair in found["pairs"]] == [(1, 0, 1.0)]
    assert (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8").startswith("# Which rows")
    assert {path.name for path in (tmp_path / "out").glob("*.csv")} == {"arms.csv", "pairs.csv", "questions.csv"}
    assert "Question by question" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert numbers["headline"].startswith("tuned and base are within noise: +50.0 points")
    assert "warning" not in capsys.readouterr().err


def test_replies_that_were_not_kept_are_a_warning(
    tmp_path: Path, runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "out", runs.arms())
    said = " ".join(capsys.readouterr().err.split())
    assert "report compares nothing question by question: evaluation-gate0 has predictions without 'error'" in said


def test_the_same_artifacts_give_the_same_files(tmp_path: Path, runs: FakeRuns) -> None:
    arms = runs.arms()
    for name in ("one", "two"):
        fill(tmp_path / name, arms)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_an_unknown_control_is_a_warning_with_a_guess(
    tmp_path: Path, runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "out", runs.arms(), against="randon")
    said = " ".join(capsys.readouterr().err.split())
    assert "report compares nothing: no arm 'randon'" in said
    assert "did you mean 'random'?" in said
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["differences"] == []


def test_a_run_ends_with_the_table_made_now_or_before(
    tmp_path: Path, runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    arms = runs.arms()
    for evaluation in arms["gate"]:
        runs.took(evaluation.parent("model"), 98.7)
    screens = []
    for word in ("make", "have"):
        run(recipe(arms), tmp_path)
        screen = capsys.readouterr().err.splitlines()
        assert f"report  {word}  report-" in screen[0]
        screens.append(screen[screen.index(next(line for line in screen if line.startswith("gate "))) :])
    assert screens[0] == screens[1]
    headline, page, *table = (line for line in screens[0] if line.strip())
    assert headline.endswith("with the same trusted rows")
    assert page.endswith("report.html")
    assert table[0].split() == ["label", "clean", "accuracy"]
    assert [line.split()[0] for line in table[3:]] == ["gate", "random", "all", "trusted"]
    assert table[3].split()[-1] == "98.7"
