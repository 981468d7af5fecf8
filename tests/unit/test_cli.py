"""The command: what it prints, what it imports, and how it ends."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sluicegate
from sluicegate import planning, registry
from sluicegate.artifacts import Store
from sluicegate.cli import main
from sluicegate.errors import MissingError
from sluicegate.pipeline import load_lock
from sluicegate.testing import tiny_model
from tiny_stages import Tiny, Write

HEAVY = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "tokenizers", "huggingface_hub", "sklearn")
HEAVY += ("scipy", "pandas", "numpy", "pyarrow", "altair", "jinja2", "loguru")

RECIPE = """
vars: {text: abba}
steps:
  pool: {stage: write, text: "${vars.text}"}
  sums: {stage: count, data: pool}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tiny stages are verbs, and the working directory is empty but for a recipe."""
    stages = Tiny("stage")
    monkeypatch.setattr(planning, "STAGES", stages)
    monkeypatch.setattr(registry, "STAGES", stages)
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(RECIPE, encoding="utf-8")


@pytest.fixture
def sluice(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: exit code, what it printed, what it told."""

    def run(*argv: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(argv))
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def done(sluice: Run) -> dict[str, str]:
    """`sluice run r.yaml` has run; step name to artifact id."""
    assert sluice("run", "r.yaml")[0] == 0
    return load_lock(Path("runs/r"))


# Light --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["--help", "--version", "run --help", "score --help", "ls", "ls artifacts"])
def test_a_word_with_the_command_imports_nothing_heavy(line: str) -> None:
    code = f"""
import atexit, sys
atexit.register(lambda: print(*sorted({{m.partition(".")[0] for m in sys.modules}}), file=sys.stderr))
from sluicegate.cli import main
from sluicegate.errors import MissingError
sys.exit(main({line.split()!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(ended.stderr.split())
    assert line != "--help" or "pydantic" not in ended.stderr.split()
    assert ended.stdout


# Verbs --------------------------------------------------------------------------------------------------------------


def test_a_run_makes_and_then_has(sluice: Run) -> None:
    code, out, told = sluice("run", "r.yaml")
    assert (code, out) == (0, "")
    assert re.findall(r"^(\w+) +(make|have)", told, re.M) == [("pool", "make"), ("sums", "make")]
    assert "rows 1, letters 4, share 0.1235" in told
    assert re.findall(r"^(\w+) +(make|have)", sluice("run", "r.yaml")[2], re.M) == [("pool", "have"), ("sums", "have")]


@pytest.mark.parametrize(
    "argv",
    [
        ["run", "r.yaml", "vars.text=b", "--out", "x"],
        ["run", "--out", "x", "r.yaml", "vars.text=b"],
        ["run", "r.yaml", "--out", "x", "vars.text=b"],
        ["run", "r.yaml", "vars.text=a", "--out", "x", "vars.text=b"],
        ["run", "r.yaml", "vars.text=b", "out=x"],
        ["run", "r.yaml", "out=y", "out=x", "vars.text=b"],
    ],
)
def test_overrides_stand_anywhere(sluice: Run, argv: list[str]) -> None:
    assert sluice(*argv)[0] == 0
    assert Path("x/pool/text").read_text(encoding="utf-8") == "b"


def test_every_stage_is_a_verb(sluice: Run) -> None:
    assert sluice("write", "text=abba", "threads=3")[0] == 0
    assert Path("runs/latest/write/text").read_text(encoding="utf-8") == "abba"
    with pytest.raises(SystemExit) as ended:
        sluice("--help")
    assert ended.value.code == 0


def test_a_verb_names_the_steps_that_ran_in_its_folder(sluice: Run, done: dict[str, str]) -> None:
    assert sluice("count", "data=pool", "out=runs/r")[0] == 0
    assert load_lock(Path("runs/r")) == done | {"count": done["sums"]}
    assert sluice("contrast", "arms.a=[sums, count]", "arms.b='*'", "out=runs/r")[0] == 2, "a pool is no scores"
    assert sluice("contrast", "arms.a=[sums, count]", "arms.b='s*'", "out=runs/r")[0] == 0


def test_a_verb_adds_its_step_to_the_recipe_of_its_folder(sluice: Run, done: dict[str, str]) -> None:
    assert sluice("count", "data=pool", "times=2", "out=runs/r")[0] == 0
    again = sluice("run", "runs/r/recipe.yaml", "out=runs/r")
    assert re.findall(r"^(\w+) +(make|have)", again[2], re.M) == [(n, "have") for n in ("pool", "sums", "count")]
    assert sluice("run", "r.yaml")[0] == 0
    assert "count:" not in Path("runs/r/recipe.yaml").read_text(encoding="utf-8"), "a recipe stands for itself"


@pytest.mark.parametrize("name", ["runs/r/pool", "pool"])
def test_a_verb_takes_the_folder_of_an_artifact_from_anywhere(sluice: Run, done: dict[str, str], name: str) -> None:
    code, _, told = sluice("count", f"data={name}", "out=runs/other")
    assert code == (0 if "/" in name else 2), told
    assert "/" not in name or load_lock(Path("runs/other")) == {"count": done["sums"]}


def test_a_dry_run_prints_the_plan_and_makes_nothing(sluice: Run) -> None:
    code, out, _ = sluice("run", "r.yaml", "--dry-run")
    assert code == 0
    assert not Path("runs").exists()
    rows = [re.split(r"  +", line) for line in out.splitlines()]
    assert [row[:3] for row in rows[:2]] == [["pool", "write", "make"], ["sums", "count", "make"]]
    assert rows[0][4] == "about 1 rows, 4,000 tokens"
    assert rows[2] == ["0 have, 2 to make in runs/r/artifacts"]


def test_a_dry_run_knows_what_stands(sluice: Run, done: dict[str, str]) -> None:
    out = sluice("run", "r.yaml", "sums.times=3", "--dry-run")[1].splitlines()
    assert re.split(r"  +", out[0]) == ["pool", "write", "have", done["pool"], "1 rows"]
    assert re.split(r"  +", out[1])[:3] == ["sums", "count", "make"]
    assert out[2] == "1 have, 1 to make in runs/r/artifacts"
    assert set(Store(Path("runs/r/artifacts")).ids()) == set(done.values())


def test_ls_lists_everything_there_is(sluice: Run, done: dict[str, str]) -> None:
    named = [line.partition(":")[0] for line in sluice("ls")[1].splitlines()]
    data = ["cleaners", "shapes", "presets"]
    assert named == ["stages", "signals", "rules", "corruptions", *data, "tasks", "verbs", "recipes"]
    assert "prepare" in sluice("ls", "stages")[1].split()
    assert "demo" in sluice("ls", "recipes")[1].split()
    assert "gsm8k" in sluice("ls", "presets")[1].split()
    assert sluice("ls", "runs")[1] == "runs/r\n"
    lines = [line.split() for line in sluice("ls", "artifacts", "--out", "runs/r")[1].splitlines()]
    assert [(i, stage, step, *rows) for i, stage, _, step, *rows in lines] == [
        (done["pool"], "write", "pool", "1", "rows"),
        (done["sums"], "count", "sums", "4", "rows"),
    ]
    assert sluice("ls", "runs/r")[1] == sluice("ls", "artifacts", "--out", "runs/r")[1]


def test_ls_of_something_else_gets_the_nearest_list(sluice: Run) -> None:
    code, _, told = sluice("ls", "stage")
    assert (code, told) == (2, "error: 'stage' is neither a list nor a run's folder\nhint: did you mean 'stages'?\n")
    assert "hint: the lists are stages, signals" in sluice("ls", "zzzz")[2]


@pytest.mark.parametrize("name", ["sums", "ID", "runs/r/sums", "runs/r/artifacts/ID"])
def test_show_tells_an_artifact_by_step_id_or_folder(sluice: Run, done: dict[str, str], name: str) -> None:
    out_flag = [] if "/" in name else ["--out", "runs/r"]
    code, out, _ = sluice("show", name.replace("ID", done["sums"]), *out_flag)
    assert code == 0
    assert out.startswith(f"{done['sums']}  count  made ")
    assert "  rows: 4\n" in out
    assert "  part-0: 1 bytes\n" in out
    assert out.endswith(f"  {done['pool']}: write\n  {done['sums']}: count\n")


def test_show_of_nothing_gets_the_nearest(sluice: Run, done: dict[str, str]) -> None:
    code, _, told = sluice("show", "sum", "--out", "runs/r")
    assert (code, told) == (3, "error: no artifact and no step 'sum' in runs/r\nhint: did you mean 'sums'?\n")
    assert sluice("show", "zzzz")[2].endswith("hint: name the run's folder with --out DIR; runs: runs/r\n")


def test_the_newest_run_is_meant_where_none_is_named(sluice: Run, done: dict[str, str]) -> None:
    assert sluice("write", "text=z", "out=runs/later")[0] == 0
    os.utime("runs/r/lock.json", (1, 1))
    made = load_lock(Path("runs/later"))["write"]
    assert sluice("ls", "artifacts")[1].split()[0] == made
    assert sluice("show", "write")[1].startswith(made)
    assert sluice("show", done["sums"])[1].startswith(done["sums"]), "an id may be of any run"
    assert sluice("verify", done["sums"])[0] == 0
    assert sluice("show", done["sums"], "--out", "runs/later")[0] == 3
    code, _, told = sluice("show", "sums")
    assert code == 3
    assert "runs: runs/later, runs/r" in told
    assert sluice("verify") == (0, f"{made}  whole\n", "")


def test_verify_says_what_is_whole(sluice: Run, done: dict[str, str]) -> None:
    expected = f"{done['pool']}  whole\n{done['sums']}  whole\n"
    assert sluice("verify", "--out", "runs/r") == (0, expected, "")
    assert sluice("verify", "runs/r/pool") == (0, expected.splitlines(keepends=True)[0], "")
    assert sluice("verify", "--out", "runs/none")[0] == 3


def test_verify_finds_every_change(sluice: Run, done: dict[str, str]) -> None:
    Path("runs/r/pool/text").write_text("edited", encoding="utf-8")
    code, out, told = sluice("verify", "--out", "runs/r")
    changed = f"{done['pool']}  broken: {done['pool']}/text was changed after it was made\n"
    assert (code, out) == (4, f"{changed}{done['sums']}  whole\n")
    assert told.startswith("error: 1 of 2 artifacts are not as they were made\nhint: delete the folder")
    Path("runs/r/sums/more").touch()
    code, out, _ = sluice("verify", "--out", "runs/r")
    assert (code, out.count("broken: ")) == (4, 2)
    assert "more was added" in out
    assert sluice("count", "data=pool", "times=2", "out=runs/r")[0] == 3, "an edited input stops its step"


def test_docs_are_those_of_the_reference(sluice: Run) -> None:
    from sluicegate.reference import reference

    assert sluice("docs")[1] == reference() + "\n"
    assert sluice("docs", "top_k")[1] == reference("top_k") + "\n"
    assert sluice("docs", "top_q")[0] == 2


# Ends ---------------------------------------------------------------------------------------------------------------


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"sluice {sluicegate.__version__}\n")


@pytest.mark.parametrize("line", ["", "rnu", "run", "ls stages rules", "run r.yaml --wat", "show a b=1"])
def test_a_wrong_command_line_is_usage(line: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["run", "nope"], 2, "error: no recipe 'nope'"),
        (["run", "r.yaml", "vars.txet=1"], 2, "error: override 'vars.txet=1' names no variable of this recipe"),
        (["run", "r.yaml", "sums.tmies=1"], 2, "error: steps.sums.tmies: no such key, did you mean 'times'?"),
        (["run", "r.yaml", "sums"], 2, "error: override 'sums' is not of the form key=value"),
        (["count", "data=pool"], 2, "error: steps.count.data: no step, artifact or file 'pool'"),
        (["count", "data=pool.jsonl"], 3, "error: steps.count.data: no file pool.jsonl"),
        (["count"], 2, "error: steps.count has no input 'data'"),
        (["write", "x"], 2, "error: override 'x' is not of the form"),
        (["show", "x"], 3, "error: no artifact and no step 'x'"),
        (["verify"], 3, "error: no artifacts in runs/latest/artifacts"),
        (["docs", "x"], 2, "error: nothing is registered as 'x'"),
        (["run", "r.yaml", "sums.model=/no/where"], 5, "error: steps.sums.model: no model folder /no/where"),
    ],
)
def test_what_a_user_gets_wrong_is_a_sentence(sluice: Run, argv: list[str], code: int, told: str) -> None:
    ended = sluice(*argv)
    assert ended[0] == code
    assert ended[2].startswith(told)
    assert "Traceback" not in ended[2]
    assert not Path("runs").exists() or not list(Path("runs").glob("*/artifacts/*"))


def test_a_bug_is_one_line_with_its_traceback_in_the_log(sluice: Run) -> None:
    code, _, told = sluice("break")
    line, hint = told.splitlines()[-2:]
    assert code == 1
    assert line == "error: unexpected ZeroDivisionError: division by zero"
    assert hint == "hint: the traceback is in runs/latest/log/rank0.log"
    assert "Traceback" not in told
    log = Path("runs/latest/log/rank0.log").read_text(encoding="utf-8")
    assert "Traceback" in log
    assert "tiny_stages.py" in log
    assert Store(Path("runs/latest/artifacts")).ids() == []


def test_a_list_where_one_artifact_goes_in_asks_for_one_each(sluice: Run) -> None:
    rows = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}'
    for name in ("one", "two"):
        Path(f"{name}.jsonl").write_text(rows, encoding="utf-8")
    Path("torn.jsonl").write_text("{", encoding="utf-8")
    command = ["score", "data=[one.jsonl, torn.jsonl, two.jsonl]", "signals=[random]", "model=base", "out=runs/x"]
    tiny_model(Path("base"))
    code, _, told = sluice(*command, "continue_on_error=true")
    assert code == 3
    assert "steps failed" in told
    assert re.search(r"score-torn +left  needs score-torn.data", told)
    lock = json.loads(Path("runs/x/lock.json").read_text(encoding="utf-8"))
    assert {name for name in lock if name.startswith("score-") and "." not in name} == {"score-one", "score-two"}


def test_a_list_of_files_to_train_on_is_one_table_of_all_their_rows(sluice: Run) -> None:
    for name in ("one", "two"):
        said = [{"role": "user", "content": name}, {"role": "assistant", "content": "b"}]
        Path(f"{name}.jsonl").write_text(json.dumps({"messages": said}), encoding="utf-8")
    tiny_model(Path("base"))
    code, told, _ = sluice("sft", "data=[one.jsonl, two.jsonl]", "model=base", "out=runs/y", "--dry-run")
    assert code == 0
    assert [line.split()[:2] for line in told.splitlines()[:-1]] == [["sft-data", "prepare"], ["sft", "sft"]]


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["data=[a.jsonl, b.jsonl]", "model=[x, y]"], "got lists for data and model"),
        (["data=[a/x.jsonl, b/x.jsonl]"], "gives two steps the name score-x"),
    ],
)
def test_lists_that_name_no_steps(sluice: Run, argv: list[str], told: str) -> None:
    code, _, err = sluice("score", *argv)
    assert (code, told in err) == (2, True), err


def test_a_verb_that_cannot_be_loaded_leaves_all_others(sluice: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Torn(registry.Registry):
        def get(self, name: str) -> Any:
            if name == "show":
                raise MissingError("verb 'show' cannot be loaded", "install what it needs")
            return super().get(name)

    monkeypatch.setattr(registry, "VERBS", Torn("verb"))
    assert sluice("ls")[0] == 0
    assert sluice("show") == (5, "", "error: verb 'show' cannot be loaded\nhint: install what it needs\n")


def test_the_command_alone_says_what_it_can(sluice: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "run a recipe" in capsys.readouterr().out


def test_debug_shows_the_traceback(sluice: Run) -> None:
    code, _, told = sluice("break", "--debug")
    assert code == 1
    assert "Traceback" in told
    assert told.splitlines()[-2] == "error: unexpected ZeroDivisionError: division by zero"
    assert "Traceback" in sluice("run", "nope", "--debug")[2]


def test_a_bug_before_there_is_a_log_asks_for_debug(sluice: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from sluicegate import runtime

    monkeypatch.setattr(runtime, "_open_logs", [])
    monkeypatch.setattr(Store, "ids", lambda self: 1 / 0)
    code, _, told = sluice("ls", "artifacts")
    assert (code, told.splitlines()[-1]) == (1, "hint: the same command with --debug shows the traceback")


def test_ctrl_c_is_130_and_nothing_half_made(sluice: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Any, out: Path, *_: Any) -> None:
        (out / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(Write, "fill", interrupted)
    code, _, told = sluice("run", "r.yaml")
    assert code == 130
    assert told.splitlines()[-2:] == [
        "error: interrupted",
        "hint: finished steps stand; the same command goes on from there",
    ]
    assert list(Path("runs/r/artifacts").glob("[!.]*")) == []


@pytest.mark.parametrize("where", ["Path.write_text", "Path.mkdir", "os.replace"])
def test_a_full_disk_anywhere_is_one_sentence(sluice: Run, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def full(*args: Any, **kw: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        owner, _, name = where.partition(".")
        patch.setattr({"Path": Path, "os": os}[owner], name, full)
        code, _, told = sluice("run", "r.yaml")
    assert code == 1
    assert re.search(r"^error: the disk under runs/r\S* is full\nhint: free some space", told, re.M)
    assert not list(Path("runs").glob("*/artifacts/[!.]*"))
    assert sluice("run", "r.yaml")[0] == 0


def test_a_full_disk_before_anything_is_made(sluice: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any, config: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/cache/model")

    monkeypatch.setattr(Write, "pins", full)
    code, _, told = sluice("run", "r.yaml", "--dry-run")
    assert code == 1
    assert re.match(r"error: the disk under \S+ is full\nhint: free some space", told)


def test_python_m_is_the_command(done: dict[str, str]) -> None:
    command = [sys.executable, "-m", "sluicegate", "ls", "runs"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "runs/r\n"


def test_a_reader_may_stop_reading(done: dict[str, str]) -> None:
    command = f"{sys.executable} -m sluicegate docs | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "0"
    assert ended.stderr == ""


def test_the_lock_is_for_machines(done: dict[str, str]) -> None:
    assert list(json.loads(Path("runs/r/lock.json").read_text(encoding="utf-8"))) == ["pool", "sums"]
