"""The trials of a search: what they walk, what becomes of those that fail, and what is told in the end."""

from __future__ import annotations

import csv
import fcntl
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from sluicegate import pipeline
from sluicegate.cli import main
from sluicegate.search.study import FILE
from sluicegate.testing import tiny_pool
from sluicegate.verbs.tune import FOLDER, PAGE, TABLE

STEPS: dict[str, Any] = {
    "pool": {"stage": "prepare", "sources": "rows.jsonl", "sample": {"rows": 1}},
    "copy": {"stage": "plant", "data": "pool"},
    "apart": {"stage": "prepare", "sources": "rows.jsonl", "max_chars": 5000},
}
TUNE: dict[str, Any] = {
    "metric": "copy.rows",
    "direction": "maximize",
    "trials": 5,
    "sampler": "random",
    "space": {"pool.sample.rows": {"low": 1, "high": 12}, "vars.share": [0.5, 1.0]},
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a dozen good rows and a bad one, and a recipe that searches for as many of them as it can keep."""
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"messages": row["messages"]}) for row in tiny_pool(12)]
    Path("rows.jsonl").write_text("\n".join([*lines, '{"messages": []}']), encoding="utf-8")
    recipe()
    return tmp_path


def recipe(steps: dict[str, Any] | None = None, **tune: Any) -> None:
    made = {name: {**body} for name, body in {**STEPS, **(steps or {})}.items()}
    made["pool"] |= {"max_bad_share": "${vars.share}"}
    whole = {"vars": {"share": 1.0}, "steps": made, "tune": {**TUNE, **tune}}
    Path("r.yaml").write_text(json.dumps(whole), encoding="utf-8")


def tune(*more: str) -> int:
    return main(["tune", "r.yaml", "out=run", *more])


def table() -> list[dict[str, str]]:
    with Path("run", FOLDER, TABLE).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_best_setting_is_told_as_a_command_that_stands(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune() == 0
    rows = table()
    assert [row["state"] for row in rows] == ["whole"] * 5
    best = max(rows, key=lambda row: float(row["copy.rows"]))
    first, command, page = capsys.readouterr().out.splitlines()
    assert first.startswith("best of 5 trials (5 whole): copy.rows")
    assert f"pool.sample.rows={best['pool.sample.rows']}" in shlex.split(command)
    assert Path(page) == Path("run", FOLDER, PAGE)
    assert float(best["copy.rows"]) == float(best["pool.sample.rows"])
    lock = json.loads(Path("run/lock.json").read_text(encoding="utf-8"))
    assert Path("run/copy").resolve().name == lock["copy"], "the links are those of the best"
    assert main([*shlex.split(command)[1:], "--dry-run"]) == 0
    assert f"have  {lock['copy']}" in capsys.readouterr().out


def test_only_what_the_metric_hangs_on_is_walked(here: Path) -> None:
    assert tune() == 0
    assert set(json.loads(Path("run/lock.json").read_text(encoding="utf-8"))) == {"pool", "copy"}


def test_a_trial_that_fails_is_told_with_its_reason_and_stops_nothing(here: Path) -> None:
    recipe(space={**TUNE["space"], "vars.share": [0.01, 1.0]}, trials=8)
    assert tune() == 0
    states = {row["vars.share"]: row["state"] for row in table()}
    assert states == {"0.01": "failed", "1.0": "whole"}
    reasons = {row["reason"] for row in table() if row["state"] == "failed"}
    assert all("rows.jsonl" in reason or "could not be used" in reason for reason in reasons), reasons


def test_where_all_trials_fail_the_first_reason_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe(space={"vars.share": [0.01, 0.02]}, trials=2)
    assert tune() == 4
    assert "none of 2 trials came to its end" in (said := capsys.readouterr().err)
    assert "the first said: " in said
    assert len(table()) == 2


def test_a_search_goes_on_where_it_was_stopped(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tune() == 0
    whole = [(row["pool.sample.rows"], row["vars.share"], row["copy.rows"]) for row in table()]
    Path("run").rename("before")
    walks, run = [0], pipeline.run

    def stopped(*args: Any, **kwargs: Any) -> Any:
        walks[0] += 1
        if walks[0] == 3:
            raise KeyboardInterrupt
        return run(*args, **kwargs)

    monkeypatch.setattr(pipeline, "run", stopped)
    assert tune() == 130
    assert len(table()) == 2
    assert tune() == 0
    rows = table()
    assert [row["state"] for row in rows] == ["whole", "whole", "broken off", "whole", "whole", "whole"]
    found = [(row["pool.sample.rows"], row["vars.share"], row["copy.rows"]) for row in rows]
    assert found[:2] + found[3:] == whole


def test_a_search_that_is_over_only_says_so_and_more_trials_go_on(here: Path) -> None:
    assert tune() == 0
    assert tune() == 0
    assert len(table()) == 5
    assert tune("tune.trials=6") == 0
    assert len(table()) == 6


def test_other_data_or_another_space_is_another_search(here: Path) -> None:
    assert tune("tune.trials=2") == 0
    assert tune("tune.trials=2", "tune.space.pool.sample.rows.low=2") == 0
    Path("rows.jsonl").write_text(Path("rows.jsonl").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert tune("tune.trials=2") == 0
    import optuna

    names = optuna.get_all_study_names(f"sqlite:///run/{FOLDER}/{FILE}")
    assert len(names) == 3
    assert all(name.startswith("r-") for name in names)


def test_rungs_are_walked_from_the_shortest_and_told(here: Path) -> None:
    rungs = {"key": "pool.sample.rows", "values": [2, 4, 8]}
    recipe(space={"vars.share": [0.5, 1.0]}, rungs=rungs, trials=1)
    assert tune() == 0
    (row,) = table()
    assert [row[f"copy.rows at pool.sample.rows={n}"] for n in (2, 4, 8)] == ["2.0", "4.0", "8.0"]
    assert row["copy.rows"] == "8.0"


def test_the_metric_may_be_the_mean_of_several_steps(here: Path) -> None:
    recipe(steps={"copy-2": {"stage": "plant", "data": "apart"}}, metric="copy*.rows", trials=1)
    assert tune() == 0
    (row,) = table()
    assert float(row["copy*.rows"]) == (float(row["pool.sample.rows"]) + 12) / 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["tune.metric=cpoy.rows"], "error: tune.metric: no step 'cpoy' in this recipe\nhint: did you mean 'copy'?"),
        (["tune.space.pool.sampel.rows=[1]"], "tune.space.pool.sampel.rows: steps.pool.sampel: no such key, did you"),
        (["tune.space.pol.sample.rows=[1]"], "names no step of this recipe\nhint: did you mean 'pool'?"),
        (["tune.space.vars.shrae=[1]"], "names no variable of this recipe\nhint: did you mean 'share'?"),
        (["tune.space.pool.sample.rows.low=0"], "tune.space.pool.sample.rows: steps.pool.sample.rows: input should be"),
        (["tune.space.apart.max_chars=[99, 100]"], "tune: copy.rows does not hang on apart.max_chars"),
        (["tune.trails=3"], "tune.trails: no such key, did you mean 'trials'?"),
        (["vars.share=2"], "steps.pool.max_bad_share"),
    ],
)
def test_what_is_wrong_is_told_before_the_first_trial(
    more: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(*more) == 2
    assert said in capsys.readouterr().err
    assert not Path("run").exists()


def test_a_number_that_a_step_has_not_fails_its_trials(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("tune.metric=copy.rosw", "tune.trials=1") == 4
    assert "has no number 'rosw'" in capsys.readouterr().err


def test_a_dry_run_makes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune("--dry-run") == 0
    assert capsys.readouterr().out.endswith("5 trials of pool.sample.rows, vars.share for copy.rows\n")
    assert not Path("run").exists()


def test_two_searches_in_one_folder_take_turns(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run", FOLDER).mkdir(parents=True)
    with Path("run", FOLDER, ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert tune() == 2
    assert "a search is under way in run/study" in capsys.readouterr().err


def test_what_has_no_search_or_no_room_for_one_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["tune", "demo"]) == 2
    assert "says nothing of what to tune" in capsys.readouterr().err
    recipe(steps={FOLDER: STEPS["apart"]})
    assert tune() == 2
    assert "has the name of the folder of the trials" in capsys.readouterr().err
    recipe()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert tune() == 2
    assert "sluice tune is one process" in capsys.readouterr().err
