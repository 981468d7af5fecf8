from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graded_runs import evaluation
from sluicegate.artifacts import write_json
from sluicegate.cli import main
from sluicegate.errors import ConfigError
from sluicegate.pipeline import load_lock
from sluicegate.verbs.report import arm_names

RIGHT, WRONG = ("#### 4", "4"), ("#### 5", "4")


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run in `runs/` of the working directory with four evaluations: a base, one tuned, and two seeds of another."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/sums")
    verdicts = {"base": "1000", "tuned": "1110", "other-0": "110", "other-1": "100"}
    made = {name: graded(folder, name, told) for name, told in verdicts.items()}
    write_json(folder / "lock.json", made)
    return folder


def graded(folder: Path, name: str, verdicts: str) -> str:
    replies = {f"q{n}": RIGHT if verdict == "1" else WRONG for n, verdict in enumerate(verdicts)}
    return evaluation((folder / "artifacts").absolute(), replies, name).id


def told(step: Path) -> dict[str, Any]:
    return json.loads((step / "comparison.json").read_text(encoding="utf-8"))


def test_steps_are_arms_and_the_first_is_the_baseline(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "base", "tuned", "other-*"]) == 0
    found = told(run / "report-base-tuned-other")
    assert [(arm["arm"], arm["seeds"]) for arm in found["arms"]] == [("base", 1), ("tuned", 1), ("other", 2)]
    assert [(pair["arm"], pair["against"], pair["wins"]) for pair in found["pairs"]] == [
        ("tuned", "base", 2),
        ("other", "base", 1),
    ]
    assert found["asked"] == {"base": 4, "tuned": 4, "other": 3}
    names = {path.name for path in (run / "report-base-tuned-other").iterdir()}
    assert names >= {"report.html", "report.md", "comparison.md", "arms.csv", "pairs.csv", "questions.csv"}
    page = (run / "report-base-tuned-other" / "report.html").read_text(encoding="utf-8")
    assert "<title>tuned, other against base</title>" in page
    assert "tuned right, base wrong: 2 questions" in page
    assert "tuned and base are within noise" in capsys.readouterr().err


def test_ids_and_folders_of_any_run_do_as_well(run: Path) -> None:
    later = Path("runs/later")
    write_json(later / "lock.json", {"base": graded(later, "later", "1111")})
    (later / "base").symlink_to(Path("artifacts") / load_lock(later)["base"])
    words = [load_lock(run)["base"], "runs/later/base", "out=runs/sums", "questions=0"]
    assert main(["report", *words]) == 0
    [made] = [step for step in load_lock(run) if step.startswith("report")]
    found = told(run / made)
    assert [arm["arm"] for arm in found["arms"]] == words[:2], "both are called base"
    assert (found["pairs"][0]["wins"], found["pairs"][0]["won"]) == (3, [])


def test_the_keys_of_the_stage_still_do(run: Path) -> None:
    arms = ["arms.a=[base]", "arms.b='other-*'", "against=a", "title=Two"]
    assert main(["report", *arms, "out=runs/sums"]) == 0
    assert [pair["seeds"] for pair in told(run / "report")["pairs"]] == [[2, 1]]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["base", "base"], 2, "base is named twice"),
        (["base", "tunde"], 3, "did you mean 'tuned'?"),
        (["base", "nothing-*"], 2, "'nothing-*' matches no step"),
        (["base", "tuned", "questoins=3"], 2, "did you mean 'questions'?"),
    ],
)
def test_what_is_not_there_is_told(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *words]) == code
    assert said in capsys.readouterr().err


def test_names_tell_arms_apart() -> None:
    lock = {"base": "evaluation-1", "tuned": "evaluation-2"}
    assert arm_names(["base", "evaluation-2", "seeds-*"], lock) == ["base", "tuned", "seeds"]
    assert arm_names(["runs/a/result", "runs/b/other"], lock) == ["result", "other"]
    assert arm_names(["runs/a/result", "runs/b/result"], lock) == ["runs/a/result", "runs/b/result"]
    with pytest.raises(ConfigError, match="a is named twice"):
        arm_names(["a", "b", "a"], lock)


def test_every_report_is_in_the_index(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "base", "tuned"]) == 0
    page = Path("runs/index.html")
    assert 'href="sums/report-base-tuned/report.html"' in page.read_text(encoding="utf-8")
    page.unlink()
    capsys.readouterr()
    assert main(["report", "--index"]) == 0
    assert capsys.readouterr().out == "runs/index.html\n"
    assert "tuned and base are within noise" in page.read_text(encoding="utf-8")


def test_a_folder_of_another_name_gets_no_index(tmp_path: Path) -> None:
    assert main(["report", "runs/sums/artifacts/" + load_lock(Path("runs/sums"))["base"], "out=elsewhere/x"]) == 0
    assert not (tmp_path / "elsewhere" / "index.html").exists()


def test_without_runs_there_is_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "runs")
    assert main(["report", "--index"]) == 3
