"""From a recipe to artifacts: what is planned, made, kept, refused, and left by a run that was cut off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluicegate import planning
from sluicegate.artifacts import Store
from sluicegate.config import load_recipe
from sluicegate.errors import (
    ArtifactError,
    CheckFailed,
    ConfigError,
    DataError,
    MissingError,
    SluiceError,
    StorageError,
)
from sluicegate.pipeline import brief, load_lock, run
from sluicegate.planning import plan
from tiny_stages import Tiny, Write

TESTS = Path(__file__).parents[1]

Steps = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "STAGES", Tiny("stage"))


def chain(**changed: Any) -> Steps:
    """`one` > `two` > `sums`, and `other` on its own; `changed` names steps and their new keys."""
    steps: Steps = {
        "one": {"stage": "write", "text": "ab"},
        "two": {"stage": "write", "text": "c", "after": "one"},
        "other": {"stage": "write", "text": "d"},
        "sums": {"stage": "count", "data": "two"},
    }
    return {name: spec | changed.get(name, {}) for name, spec in steps.items()}


def go(steps: Steps, folder: Path, **kw: Any) -> dict[str, str]:
    return {name: made.id for name, made in run({"vars": {}, "steps": steps}, folder, **kw).items()}


def ids(steps: Steps, folder: Path = Path("nowhere"), **kw: Any) -> dict[str, str]:
    return {name: step.artifact_id for name, step in plan({"steps": steps}, folder, **kw).steps.items()}


def refused(steps: Steps, error: type[Exception] = ConfigError, folder: Path = Path("nowhere")) -> Any:
    with pytest.raises(error) as caught:
        ids(steps, folder)
    return caught.value


def files(folder: Path) -> dict[str, Any]:
    """Step name to what its artifact holds, by hash."""
    store = Store(folder / "artifacts")
    return {name: store.open(i).manifest["files"] for name, i in load_lock(folder).items()}


# Names --------------------------------------------------------------------------------------------------------------


def test_a_plan_names_everything_and_makes_nothing(tmp_path: Path) -> None:
    named = ids(chain(), tmp_path / "run")
    assert [i.split("-")[0] for i in named.values()] == ["messages", "messages", "messages", "scores"]
    assert len(set(named.values())) == 4
    assert not (tmp_path / "run").exists()
    assert go(chain(), tmp_path / "run") == named


@pytest.mark.parametrize(
    ("changed", "remade"),
    [
        ({"one": {"text": "x"}}, {"one", "two", "sums"}),
        ({"two": {"text": "x"}}, {"two", "sums"}),
        ({"sums": {"times": 2}}, {"sums"}),
        ({"other": {"text": "x"}}, {"other"}),
        ({"two": {"after": "other"}}, {"two", "sums"}),
        ({"two": {"after": None, "trusted": "one"}}, {"two", "sums"}),
        ({"one": {"threads": 8}}, set()),
        ({"sums": {"times": 1, "model": None}}, set()),
    ],
)
def test_a_change_remakes_what_depends_on_it_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: Steps, remade: set[str]
) -> None:
    steps = {name: spec for name, spec in chain().items() if name != "other"}
    first = go({"other": chain()["other"], **steps}, tmp_path)
    capsys.readouterr()
    again = {"other": chain(**changed)["other"], **{n: s for n, s in chain(**changed).items() if n != "other"}}
    second = go(again, tmp_path)
    assert {name for name in first if first[name] != second[name]} == remade
    told = [line.split()[:2] for line in capsys.readouterr().err.splitlines()]
    assert [name for name, state in told if state == "have"] == [name for name in second if name not in remade]
    assert {name for name, state in told if state == "make"} == remade


def test_a_second_run_has_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = go(chain(), tmp_path)
    monkeypatch.setattr(Tiny.ours["write"], "fill", lambda *_: pytest.fail("made again"))
    assert go(chain(), tmp_path) == first


def test_the_bytes_of_a_raw_file_decide_and_not_its_age(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    steps = {"one": {"stage": "write", "file": str(raw)}}
    raw.write_text("a", encoding="utf-8")
    first = ids(steps)
    os.utime(raw, (1, 1))
    assert ids(steps) == first
    raw.write_text("b", encoding="utf-8")
    assert ids(steps) != first


def test_another_version_of_a_stage_makes_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids(chain())
    monkeypatch.setattr(Tiny.ours["count"], "version", 2)
    assert {n for n, i in ids(chain()).items() if i != first[n]} == {"sums"}


def test_a_step_may_be_named_as_its_stage() -> None:
    assert ids({"write": {"text": "ab"}})["write"] == ids(chain())["one"]


# Inputs -------------------------------------------------------------------------------------------------------------


def test_inputs_reach_their_stage(tmp_path: Path) -> None:
    made = run({"vars": {}, "steps": chain()}, tmp_path)
    assert (made["two"].path / "text").read_text(encoding="utf-8") == "abc"
    assert made["two"].manifest["inputs"] == {"after": made["one"].id}
    assert made["two"].parent("after").id == made["one"].id


def test_named_lists_reach_their_stage_as_named_lists(tmp_path: Path) -> None:
    steps = chain()
    steps |= {f"arm-{n}": {"stage": "count", "data": "one", "times": n} for n in range(12)}
    arms = {"top.5": "arm-*", "pair": ["sums", "arm-3"], "one": "sums"}
    made = run({"vars": {}, "steps": {**steps, "table": {"stage": "contrast", "arms": arms}}}, tmp_path)
    assert made["table"].stats["arms"] == {
        "top.5": [made[f"arm-{n}"].id for n in range(12)],
        "pair": [made["sums"].id, made["arm-3"].id],
        "one": [made["sums"].id],
    }
    assert made["table"].manifest["inputs"]["arms.top.5.11"] == made["arm-11"].id


def test_an_artifact_of_the_same_folder_is_named_by_id_or_by_folder(tmp_path: Path) -> None:
    made = run({"vars": {}, "steps": chain()}, tmp_path)
    sums = {"stage": "count", "data": "", "times": 9}
    by_id = ids({"sums": sums | {"data": made["two"].id}}, tmp_path)
    by_link = run({"vars": {}, "steps": {"sums": sums | {"data": str(tmp_path / "two")}}}, tmp_path)["sums"]
    assert by_link.id == by_id["sums"] == ids(chain(sums={"times": 9}))["sums"]
    assert by_link.manifest["external"] == {}, "an artifact of this folder needs no path"


def test_an_artifact_of_another_run_is_named_by_its_folder(tmp_path: Path) -> None:
    go(chain(), tmp_path / "first")
    steps = {"sums": {"stage": "count", "data": str(tmp_path / "first" / "two"), "times": 3}}
    made = run({"vars": {}, "steps": steps}, tmp_path / "second")["sums"]
    assert made.id == ids(chain(sums={"times": 3}))["sums"], "where an input stands does not decide what is made of it"
    assert made.parent("data").path == (tmp_path / "first" / "two").resolve()
    assert len(Store(tmp_path / "second" / "artifacts").lineage(made.id)) == 3


def test_steps_of_the_last_run_are_named_where_they_are_offered(tmp_path: Path) -> None:
    made = go(chain(), tmp_path)
    lock = load_lock(tmp_path)
    steps: Steps = {"sums": {"stage": "count", "data": "two"}, "table": {"stage": "contrast", "arms": {"a": "s*"}}}
    assert ids(steps, tmp_path, named=lock)["sums"] == made["sums"]
    assert "no step, artifact or file 'two'" in str(refused(steps, folder=tmp_path)), "a recipe stands for itself"


def test_a_raw_file_becomes_a_step_of_its_own(tmp_path: Path) -> None:
    raw = tmp_path / "pool.jsonl"
    raw.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    steps = {"sums": {"stage": "count", "data": str(raw)}}
    planned = plan({"steps": steps}, tmp_path).steps
    assert list(planned) == ["sums.data", "sums"]
    assert planned["sums.data"].stage.name == "prepare"
    assert planned["sums"].inputs == {"data": planned["sums.data"].artifact_id}


def test_a_model_folder_is_known_by_its_bytes(tmp_path: Path) -> None:
    def named() -> str:
        return plan({"steps": chain(sums={"model": str(model)})}, tmp_path).steps["sums"].inputs["model"]

    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    first = named()
    assert first.startswith("model-external-")
    shutil.copytree(model, tmp_path / "copy")
    model = tmp_path / "copy"
    assert named() == first
    (model / "config.json").write_text("{ }", encoding="utf-8")
    assert named() != first


def test_a_model_folder_is_hashed_once_whatever_the_number_of_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr(planning, "file_hash", lambda path: hashed.append(path) or "0")
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    ids({"one": {"stage": "write"}} | {f"s{n}": {"stage": "count", "data": "one", "model": str(model)} for n in "abc"})
    assert hashed == [model / "config.json"]


def test_a_file_is_no_model_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    error = refused(chain(sums={"model": str(tmp_path / "model.safetensors")}), MissingError)
    assert error.message.endswith("is a file, where a model folder is needed")
    assert "hub" not in error.hint


# Refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "told", "hint"),
    [
        ({"sums": {"data": "tow"}}, "steps.sums.data: no step, artifact or file 'tow'", "did you mean 'two'?"),
        ({"sums": {"data": "zzzzz"}}, "steps.sums.data: no step, artifact or file 'zzzzz'", "one, two, other"),
        ({"two": {"after": "sums"}}, "steps.two.after: no step, artifact or file 'sums'", "steps before it: one"),
        ({"sums": {"data": None}}, "steps.sums has no input 'data'", "messages"),
        ({"sums": {"data": ["one", "two"]}}, "steps.sums.data is one messages artifact", "name one step"),
        ({"sums": {"data": {"a": "one"}}}, "steps.sums.data is one messages artifact", "name one step"),
        ({"sums": {"tmies": 3}}, "steps.sums.tmies: no such key, did you mean 'times'?", ""),
        ({"sums": {"times": "x"}}, "steps.sums.times: input should be a valid integer", ""),
        ({"sums": {"dta": "one"}}, "steps.sums.dta: no such key", ""),
        ({"sums": {"data": ""}}, "steps.sums.data is empty", "name a messages artifact"),
        ({"one": {"stage": "wriet"}}, "steps.one: no stage 'wriet'", "did you mean 'write'?"),
        ({"one": {"stage": 3}}, "steps.one: no stage '3'", "stages: "),
    ],
)
def test_wiring_that_fits_nowhere(changed: Steps, told: str, hint: str) -> None:
    error = refused(chain(**changed))
    assert told in error.message
    assert hint in error.hint


def test_problems_of_several_steps_are_told_at_once() -> None:
    error = refused({**chain(one={"txet": "x"}, other={"text": [1]}), "more": {"stage": "cuont"}})
    assert error.message.startswith("3 steps are not valid:\n  steps.one.txet: no such key")
    assert "steps.other.text: " in error.message
    assert "steps.more: no stage 'cuont'" in error.message
    assert "steps.two" not in error.message, "what hangs on a step that fails is not blamed"


def test_an_unknown_name_and_a_missing_file_carry_their_place() -> None:
    scores = {"stage": "score", "data": "one", "signals": ["length", "lenth"]}
    error = refused({**chain(), "scores": scores})
    assert (error.message, error.hint) == (
        "steps.scores.signals: no signal named 'lenth'",
        "did you mean 'length'?",
    )
    pick = {"stage": "select", "scores": "sums", "rule": "tpo_k"}
    assert "steps.pick.rule: no rule named 'tpo_k'" in refused({**chain(), "pick": pick}).message
    error = refused({"pool": {"stage": "prepare", "sources": ["no.jsonl"]}}, DataError)
    assert error.message == "steps.pool: no file no.jsonl"


@pytest.mark.parametrize(
    ("wires", "told"),
    [
        ({}, "steps.scores: score has neither a model nor a gate"),
        ({"model": "base", "signals": ["length", "gate"]}, "steps.scores: signal 'gate' needs a gate"),
    ],
)
def test_scores_without_what_they_are_read_from(tmp_path: Path, wires: dict[str, Any], told: str) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    scores = {"stage": "score", "data": "one"} | wires | ({"model": str(tmp_path)} if wires else {})
    assert refused({**chain(), "scores": scores}).message == told
    assert ids({**chain(), "scores": scores | {"model": str(tmp_path), "signals": ["length"]}})


def test_a_stage_may_refuse_what_does_not_fit_its_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(self: Any, config: Any, wires: Any) -> None:
        if config.times > 1 and "model" not in wires:
            raise ConfigError("has no model", "add one")

    monkeypatch.setattr(Tiny.ours["count"], "check", check)
    assert ids(chain())
    assert refused(chain(sums={"times": 2})).message == "steps.sums: has no model"


def test_an_artifact_of_the_wrong_kind() -> None:
    error = refused({**chain(), "more": {"stage": "count", "data": "sums"}})
    assert error.message == "steps.more.data: 'sums' is a scores, not a messages"
    assert error.hint == "name a step that makes a messages"


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        ("sums", "steps.table.arms is a mapping of lists, not 'sums'"),
        (["sums"], "steps.table.arms is a mapping of lists"),
        ({"a": "tune-*"}, "steps.table.arms.a: 'tune-*' matches no step before it"),
        ({"a": []}, "matches no step before it"),
        ({"a": ["sums", "smus"]}, "steps.table.arms.a: no step, artifact or file 'smus'"),
        ({"a": "one"}, "steps.table.arms.a: 'one' is a messages, not a scores"),
    ],
)
def test_named_lists_that_name_nothing(arms: Any, told: str) -> None:
    assert told in refused({**chain(), "table": {"stage": "contrast", "arms": arms}}).message


@pytest.mark.parametrize("name", ["a/b", "", "..", ".hidden", "a b", "log", "artifacts", "lock.json", "pick-{arm}"])
def test_a_step_is_also_a_link_in_the_runs_folder(name: str) -> None:
    assert "cannot be a step's name" in refused({name: {"stage": "write"}}).message


def test_chinese_names_are_names(tmp_path: Path) -> None:
    go({"数据": {"stage": "write", "text": "ab"}}, tmp_path)
    assert (tmp_path / "数据" / "text").read_text(encoding="utf-8") == "ab"


def test_a_model_that_is_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    error = refused(chain(sums={"model": "./no/where"}), MissingError)
    assert error.message == "steps.sums.model: no model folder ./no/where"
    error = refused(chain(sums={"model": "twoo"}), MissingError)
    assert "no folder and no hub model 'twoo'" in error.message
    assert error.hint == "did you mean 'two'?"
    error = refused(chain(sums={"model": "sft"}), MissingError)
    assert error.message == "steps.sums.model: no step 'sft' stands in this folder"
    error = refused(chain(sums={"model": "some/model"}), MissingError)
    assert error.hint == "get it with: hf download some/model"
    assert error.exit_code == 5
    error = refused(chain(sums={"model": str(tmp_path)}), MissingError)
    assert "has no config.json" in error.message


def test_a_manifest_edited_into_nonsense(tmp_path: Path) -> None:
    made = run({"vars": {}, "steps": chain()}, tmp_path)
    (made["two"].path / "manifest.json").write_text("{", encoding="utf-8")
    assert (
        "is not a manifest"
        in refused({"sums": {"stage": "count", "data": made["two"].id}}, ArtifactError, tmp_path).message
    )


@pytest.mark.parametrize("elsewhere", [True, False])
def test_an_input_that_was_edited_stops_the_step_that_would_read_it(tmp_path: Path, elsewhere: bool) -> None:
    made = run({"vars": {}, "steps": chain()}, tmp_path)
    (made["two"].path / "text").write_text("edited", encoding="utf-8")
    steps = chain(sums={"times": 5})
    folder = tmp_path / "second" if elsewhere else tmp_path
    if elsewhere:
        steps = {"sums": steps["sums"] | {"data": str(made["two"].path)}}
    with pytest.raises(ArtifactError) as caught:
        run({"vars": {}, "steps": steps}, folder)
    assert caught.value.message == f"{made['two'].id}/text was changed after it was made"
    assert "sums" not in load_lock(folder) or load_lock(folder)["sums"] == made["sums"].id


def test_an_input_is_checked_once_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run({"vars": {}, "steps": chain()}, tmp_path)
    checked: list[str] = []
    monkeypatch.setattr(type(made["one"]), "verify", lambda self: checked.append(self.id))
    go(chain() | {f"count-{n}": {"stage": "count", "data": "one", "times": n} for n in range(2, 5)}, tmp_path)
    assert checked == [made["one"].id]
    go(chain(one={"text": "new"}), tmp_path)
    assert checked == [made["one"].id], "what this run made needs no check"


# What a run leaves --------------------------------------------------------------------------------------------------


def test_a_run_leaves_its_recipe_a_lock_links_and_a_log(tmp_path: Path) -> None:
    made = go(chain(), tmp_path)
    assert json.loads((tmp_path / "lock.json").read_text(encoding="utf-8")) == made
    for name, artifact_id in made.items():
        assert (tmp_path / name).readlink() == Path("artifacts") / artifact_id
    assert load_recipe(str(tmp_path / "recipe.yaml"))["steps"] == chain()
    assert f"make  {made['one']}" in (tmp_path / "log" / "rank0.log").read_text(encoding="utf-8")
    assert {p.name for p in tmp_path.iterdir()} == {*made, "artifacts", "lock.json", "recipe.yaml", "log"}


def test_a_lock_keeps_the_steps_of_runs_before(tmp_path: Path) -> None:
    first = go(chain(), tmp_path)
    second = go({"sums": {"stage": "count", "data": first["one"]}}, tmp_path)
    assert load_lock(tmp_path) == first | second
    assert (tmp_path / "sums").resolve().name == second["sums"]


def test_a_lock_that_was_edited_is_told(tmp_path: Path) -> None:
    assert load_lock(tmp_path) == {}
    (tmp_path / "lock.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"lock\.json is not JSON"):
        load_lock(tmp_path)


@pytest.mark.parametrize("name", ["recipe.yaml", "two", "log", "artifacts"])
def test_what_stands_in_the_way_is_named(tmp_path: Path, name: str) -> None:
    if name in ("recipe.yaml", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").touch()
    else:
        (tmp_path / name).touch()
    with pytest.raises(StorageError, match="is in the way"):
        go(chain(), tmp_path)


def test_a_bug_in_a_step_leaves_the_steps_before_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        go({**chain(), "broken": {"stage": "break"}}, tmp_path)
    assert set(load_lock(tmp_path)) == set(chain())
    assert len(Store(tmp_path / "artifacts").ids()) == 4
    assert not (tmp_path / "broken").exists()


# Past an error ------------------------------------------------------------------------------------------------------


def test_a_step_that_fails_takes_only_those_that_need_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = chain() | {"bad": {"stage": "refuse"}, "after": {"stage": "write", "after": "bad"}}
    steps |= {"last": {"stage": "count", "data": "after"}, "bug": {"stage": "break"}, "fine": {"stage": "write"}}
    with pytest.raises(CheckFailed, match="2 of 9 steps failed, 5 stand") as told:
        go(steps, tmp_path, continue_on_error=True)
    assert told.value.hint
    assert set(load_lock(tmp_path)) == {*chain(), "fine"}
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().err.splitlines()]
    assert ["after", "left", "needs bad"] in lines
    assert ["last", "left", "needs after"] in lines
    assert ["bad", "lost", "the text is not good"] in lines
    assert ["bug", "lost", "division by zero"] in lines
    assert "ZeroDivisionError" in (tmp_path / "log" / "rank0.log").read_text(encoding="utf-8")


def test_an_error_that_says_nothing_is_told_by_its_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*args: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("tiny_stages.Break.fill", fails)
    with pytest.raises(SluiceError, match="1 of 2 steps failed"):
        go({"bug": {"stage": "break"}, "fine": {"stage": "write"}}, tmp_path, continue_on_error=True)
    assert "lost  AssertionError" in capsys.readouterr().err


def test_without_being_told_to_go_on_a_run_stops_at_the_first_failure(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="the text is not good"):
        go({"bad": {"stage": "refuse"}, **chain()}, tmp_path)
    assert load_lock(tmp_path) == {}


def test_a_check_that_did_not_pass_leaves_its_report_until_it_does(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed):
        go({"bad": {"stage": "refuse", "text": "this"}}, tmp_path)
    why = tmp_path / "bad.failed.md"
    assert why.read_text(encoding="utf-8") == "# Why\n\nthis is not good.\n"
    assert not list((tmp_path / "artifacts").glob("[!.]*")), "and no artifact"
    go({"bad": {"stage": "refuse", "text": "good"}}, tmp_path)
    assert not why.exists()


# Together -----------------------------------------------------------------------------------------------------------


def counting(**keys: Any) -> Steps:
    steps = chain(sums={"stage": "count_together", **keys})
    return steps | {"more": {"stage": "write", "text": "x"}}


def test_a_part_of_the_work_is_left_for_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in range(3):
        assert "sums" not in go(counting(of=[part, 3]), tmp_path)
    assert "part  1 of 3: counted 1" in capsys.readouterr().err
    assert set(load_lock(tmp_path)) == {"one", "two", "other", "more"}, "what does not need it is made"
    go(counting(), tmp_path)
    go(chain(sums={"stage": "count_on"}), tmp_path / "alone")
    assert files(tmp_path)["sums"] == files(tmp_path / "alone")["sums"]
    assert "sums" in go(counting(of=[0, 3]), tmp_path), "what stands needs no part"


def test_who_runs_in_one_folder_at_once_forgets_no_step_of_the_others(tmp_path: Path) -> None:
    def one(number: int) -> None:
        named = load_lock(tmp_path)
        run({"vars": {}, "steps": {f"step-{number}": {"stage": "write", "text": str(number)}}}, tmp_path, named)

    go({"first": {"stage": "write"}}, tmp_path)
    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {"first", *(f"step-{number}" for number in range(12))}
    assert set(load_lock(tmp_path)) == names
    assert set(load_recipe(str(tmp_path / "recipe.yaml"))["steps"]) == names


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def test_processes_started_together_make_one_artifact(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE.replace("STAGE", "count_together"), encoding="utf-8")
    command = [sys.executable, "-m", "tiny_stages", "run", str(tmp_path / "r.yaml"), f"out={tmp_path / 'run'}"]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    world = {**os.environ, **place, "PYTHONPATH": str(TESTS), "WORLD_SIZE": "2"}
    ranks = [subprocess.Popen(command, env=world | {"RANK": str(n)}, stderr=subprocess.PIPE, text=True) for n in (0, 1)]
    told = [process.communicate()[1] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], told
    assert "sums" in told[0]
    assert told[1] == "", "only rank 0 speaks"
    assert sorted(p.name for p in (tmp_path / "run/sums/").iterdir())[-4:] == [f"part-{n}" for n in range(4)]


def test_numbers_are_told_in_brief() -> None:
    stats = {"rows": 1200, "label_tokens": 3, "share": 0.123456, "by": {"a": 1}, "why": "", "name": "x", "none": None}
    assert brief(stats) == "rows 1200, label tokens 3, share 0.1235, name x"


# Cut off ------------------------------------------------------------------------------------------------------------

RECIPE = """
steps:
  one: {stage: write, text: abba}
  sums: {stage: STAGE, data: one}
  more: {stage: count, data: one, times: 2}
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def begin(out: Path, stage: str, **env: str) -> subprocess.Popen[str]:
        (tmp_path / "r.yaml").write_text(RECIPE.replace("STAGE", stage), encoding="utf-8")
        command = [sys.executable, "-m", "tiny_stages", "run", str(tmp_path / "r.yaml"), f"out={out}"]
        env = {**os.environ, "PYTHONPATH": str(TESTS), **env}
        hears = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 (a shell's background job is deaf)
        return subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hears
        )

    return begin


@pytest.mark.parametrize("stage", ["count", "count_on"])
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_run_cut_off_ends_in_the_same_artifacts(
    tmp_path: Path, start: Start, stage: str, sent: signal.Signals
) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    process = start(cut, stage, HANG="1")
    assert process.stdout
    assert process.stdout.readline() == "hanging\n"
    process.send_signal(sent)
    _, told = process.communicate()
    killed = sent == signal.SIGKILL
    assert process.returncode == (-sent if killed else 130)
    assert killed or "interrupted\nhint: finished steps stand" in told
    assert set(load_lock(cut)) == {"one"}
    assert Store(cut / "artifacts").ids() == [load_lock(cut)["one"]], "no half of `sums` can be seen"
    partial_work = any(p.is_dir() for p in (cut / "artifacts").glob(".scores-*"))
    assert partial_work == (killed or stage == "count_on")

    for out in (cut, whole):
        process = start(out, stage)
        _, told = process.communicate()
        assert process.returncode == 0, told
    assert load_lock(cut) == load_lock(whole)
    assert files(cut) == files(whole)
    Store(cut / "artifacts").open(load_lock(cut)["sums"]).verify()


def test_a_stage_may_make_the_kind_its_config_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Write, "made", lambda self, config: "pairs" if config.text == "two" else self.makes)
    found = plan({"vars": {}, "steps": {"a": {"stage": "write", "text": "two"}, "b": {"stage": "write"}}}, tmp_path)
    assert [step.artifact_id.partition("-")[0] for step in found.steps.values()] == ["pairs", Write.makes]
