"""What a user gets wrong: one sentence, a place, a hint, the exit code, and nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import Store
from sluicegate.cli import main
from sluicegate.pipeline import load_lock
from sluicegate.testing import tiny_model, tiny_pool

OUT = Path("runs/latest")


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    told: str

    @property
    def error(self) -> str:
        """The sentence."""
        return self._line("error: ")

    @property
    def hint(self) -> str:
        """What to do."""
        return self._line("hint: ")

    def _line(self, start: str) -> str:
        found = [line.removeprefix(start) for line in self.told.splitlines() if line.startswith(start)]
        assert len(found) == 1, f"one line starts with '{start}' in:\n{self.told}"
        return found[0]


Sluice = Callable[..., Ended]


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds nothing but `pool.jsonl`, ten good rows."""
    monkeypatch.chdir(tmp_path)
    jsonl("pool.jsonl", rows(10))


@pytest.fixture
def sluice(capsys: pytest.CaptureFixture[str]) -> Sluice:
    """The command in this process."""

    def run(*argv: str) -> Ended:
        capsys.readouterr()
        code = main(list(argv))
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(sluice: Sluice) -> Sluice:
    """The command, sure to fail with the exit code given first, without a traceback and without a new artifact."""

    def run(code: int, *argv: str) -> Ended:
        stood = visible()
        ended = sluice(*argv)
        assert ended.code == code, ended.told
        assert ended.error
        assert ended.hint
        assert "Traceback" not in ended.told
        assert visible() == stood, "what failed must leave nothing that can be seen"
        return ended

    return run


def visible() -> list[str]:
    """Everything in the run's folder that a user sees, but its log and its recipe."""
    found = (p.relative_to(OUT) for p in OUT.rglob("*"))
    return sorted(str(p) for p in found if not any(part.startswith(".") for part in p.parts) and p.parts[0] != "log"
                  and str(p) not in ("recipe.yaml", "artifacts"))  # fmt: skip


def rows(n: int, start: int = 0) -> list[dict[str, str]]:
    return [{"prompt": f"What is {k} + 1?", "completion": f"It is {k + 1}."} for k in range(start, start + n)]


def jsonl(name: str, values: list[Any]) -> str:
    text = "".join((v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) + "\n" for v in values)
    Path(name).write_text(text, encoding="utf-8")
    return name


def prepared(step: str = "prepare") -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """What the step kept, and line and reason of what it set aside."""
    made = Store(OUT / "artifacts").open(load_lock(OUT)[step])
    return list(made.rows("messages")), [(d["line"], d["reason"]) for d in made.rows("dropped")]


# Files --------------------------------------------------------------------------------------------------------------


def test_a_missing_file(refused: Sluice) -> None:
    ended = refused(3, "prepare", "sources=[pol.jsonl]")
    assert (ended.error, ended.hint) == ("steps.prepare: no file pol.jsonl", "did you mean 'pool.jsonl'?")


def test_a_folder_of_nothing_that_can_be_read(refused: Sluice, sluice: Sluice) -> None:
    Path("data").mkdir()
    Path("data/notes.txt").write_text("notes", encoding="utf-8")
    ended = refused(3, "prepare", "sources=[data]")
    assert ended.error == "steps.prepare: data holds no file that can be read"
    shutil.copy("pool.jsonl", "data/more.jsonl")
    assert sluice("prepare", "sources=[data]").code == 0


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file(refused: Sluice, text: str) -> None:
    Path("empty.jsonl").write_text(text, encoding="utf-8")
    ended = refused(3, "prepare", "sources=[empty.jsonl]")
    assert ended.error == "empty.jsonl has no rows"


def test_a_file_of_an_unknown_kind(refused: Sluice) -> None:
    Path("pool.docx").touch()
    ended = refused(3, "prepare", "sources=[pool.docx]")
    assert ended.error == "steps.prepare: pool.docx has an unknown ending"
    assert ".jsonl" in ended.hint


def test_a_file_that_may_not_be_read(refused: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refuse(self: Path, *args: Any, **kw: Any) -> Any:
        if self.name == "pool.jsonl":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return opened(self, *args, **kw)

    monkeypatch.setattr(Path, "open", refuse)
    assert refused(3, "prepare", "sources=[pool.jsonl]").error == "steps.prepare: pool.jsonl may not be read"


def test_a_compressed_file_cut_short(refused: Sluice) -> None:
    import gzip

    Path("cut.jsonl.gz").write_bytes(gzip.compress(Path("pool.jsonl").read_bytes())[:-9])
    assert "cut.jsonl.gz is not whole after line" in refused(3, "prepare", "sources=[cut.jsonl.gz]").error


# Config -------------------------------------------------------------------------------------------------------------


def test_an_unknown_key(refused: Sluice) -> None:
    ended = refused(2, "prepare", "sources=[pool.jsonl]", "max_row=3")
    assert ended.error == "steps.prepare.max_row: no such key, did you mean 'max_rows'?"


def test_a_wrong_type(refused: Sluice) -> None:
    ended = refused(2, "prepare", "sources=[pool.jsonl]", "max_rows=many")
    assert ended.error.startswith("steps.prepare.max_rows: input should be a valid integer")
    assert ended.error.endswith("(got 'many')")


def test_several_problems_are_told_at_once(refused: Sluice) -> None:
    ended = refused(2, "prepare", "sources=[{pth: x}]", "max_rows=0", "dedup=nearly")
    for key in ("sources.0.pth", "max_rows", "dedup"):
        assert f"  steps.prepare.{key}: " in ended.told
    assert ended.hint == "see every key with: sluice docs"


def test_an_unknown_verb_and_an_unknown_recipe(refused: Sluice) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prepaer"])
    assert ended.value.code == 2
    assert refused(2, "run", "dmeo").hint == "did you mean 'demo'?"


# Rows ---------------------------------------------------------------------------------------------------------------

BAD = {
    "invalid JSON: Expecting ',' delimiter": '{"prompt": "a" "completion": "b"}',
    "no assistant turn": {"messages": [{"role": "user", "content": "alone"}]},
    "no known shape: columns col": {"col": 1},
    "unknown role: 'narrator'": {"messages": [{"role": "narrator", "content": "Once"}]},
    "empty turn: assistant": {"prompt": "a", "completion": " "},
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_row_is_set_aside_with_its_place_and_its_reason(sluice: Sluice, reason: str) -> None:
    jsonl("mixed.jsonl", [*rows(10), BAD[reason], *rows(10, start=10)])
    ended = sluice("prepare", "sources=[mixed.jsonl]")
    assert ended.code == 0, ended.told
    kept, dropped = prepared()
    assert (len(kept), dropped) == (20, [(11, reason)])
    assert "dropped 1" in ended.told, "set-aside rows are counted on the screen"


@pytest.mark.parametrize("reason", BAD)
def test_too_many_bad_rows_stop_the_stage(refused: Sluice, reason: str) -> None:
    jsonl("mixed.jsonl", [*rows(7), BAD[reason], BAD[reason]])
    ended = refused(3, "prepare", "sources=[mixed.jsonl]")
    assert ended.error == f"mixed.jsonl line 8: {reason}; 2 of 9 rows cannot be used, and max_bad_share is 0.1"


def test_the_share_of_bad_rows_is_the_users(sluice: Sluice) -> None:
    jsonl("mixed.jsonl", [*rows(7), *BAD.values()])
    assert sluice("prepare", "sources=[mixed.jsonl]", "max_bad_share=0.5").code == 0
    assert [reason for _, reason in prepared()[1]] == list(BAD)


def test_invalid_json_in_a_list_has_no_row_to_set_aside(refused: Sluice) -> None:
    Path("list.json").write_text('[{"prompt": "a", "completion": "b"},\n{"prompt" "a"}]', encoding="utf-8")
    ended = refused(3, "prepare", "sources=[list.json]")
    assert ended.error == "list.json line 2: invalid JSON: Expecting ':' delimiter"
    assert ".jsonl" in ended.hint


def test_invalid_utf8(refused: Sluice, sluice: Sluice) -> None:
    line = '{"prompt": "一加一", "completion": "二"}\n'
    Path("gbk.jsonl").write_bytes(line.encode("gb18030") * 3)
    ended = refused(3, "prepare", "sources=[gbk.jsonl]")
    assert ended.error.startswith("gbk.jsonl line 1: invalid UTF-8; 3 of 3 rows")
    assert "iconv" in ended.hint
    Path("one.jsonl").write_bytes(Path("pool.jsonl").read_bytes() + line.encode("gb18030"))
    assert sluice("prepare", "sources=[one.jsonl]").code == 0
    assert prepared()[1] == [(11, "invalid UTF-8")]


def test_a_row_of_a_megabyte(refused: Sluice, sluice: Sluice) -> None:
    long = {"prompt": "a", "completion": "word " * 200_000}
    jsonl("long.jsonl", [*rows(10), long])
    assert sluice("prepare", "sources=[long.jsonl]").code == 0
    assert prepared()[1] == [(11, "too long: 1,000,000 characters, max_chars is 100,000")]
    made = Store(OUT / "artifacts").open(load_lock(OUT)["prepare"])
    assert max(len(d["text"]) for d in made.rows("dropped")) <= 200, "of a long row only the head is kept"
    assert sluice("prepare", "sources=[long.jsonl]", "max_chars=2000000").code == 0
    assert max(r["n_chars"] for r in prepared()[0]) == 1_000_000
    ended = refused(3, "prepare", f"sources=[{jsonl('all.jsonl', [long])}]")
    assert ended.hint.startswith("raise max_chars")


def test_duplicate_ids(sluice: Sluice) -> None:
    twice = [{**row, "id": "same"} for row in rows(3)] + rows(2)
    jsonl("twice.jsonl", twice)
    assert sluice("prepare", "sources=[twice.jsonl]").code == 0
    kept, dropped = prepared()
    assert len({r["id"] for r in kept}) == len(kept) == 3, "an id is of the content, whatever the file says"
    assert dropped == [(4, "duplicate: of twice.jsonl line 1"), (5, "duplicate: of twice.jsonl line 2")]
    assert sluice("prepare", "sources=[twice.jsonl]", "dedup=none").code == 0
    kept, dropped = prepared()
    assert (len({r["id"] for r in kept}), dropped) == (5, [])


# Models and gates ---------------------------------------------------------------------------------------------------

WARM_UP = ("epochs=1", "copies=2", "reference.method=off")


def pool(name: str, n: int) -> str:
    return jsonl(name, [{"messages": r["messages"]} for r in tiny_pool(n)])


@pytest.fixture
def data(sluice: Sluice) -> str:
    """A prepared step to name in the next."""
    assert sluice("prepare", f"sources=[{pool('data.jsonl', 30)}]").code == 0
    return "data=prepare"


def test_a_model_folder_without_a_tokenizer(refused: Sluice, data: str) -> None:
    bare = tiny_model(Path("bare"))
    for path in bare.glob("*token*"):
        path.unlink()
    ended = refused(5, "score", data, "model=bare", "signals=[perplexity]")
    assert ended.error == f"{bare.resolve()} has no tokenizer"
    assert "tokenizer.json" in ended.hint


def test_a_model_that_is_nowhere(refused: Sluice, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ended = refused(5, "score", data, "model=./nowhere", "signals=[length]")
    assert ended.error == "steps.score.model: no model folder ./nowhere"
    ended = refused(5, "score", data, "model=some/model", "signals=[length]")
    assert ended.hint == "get it with: hf download some/model"
    Path("empty").mkdir()
    ended = refused(5, "score", data, "model=empty", "signals=[length]")
    assert ended.error == "steps.score.model: empty has no config.json"


def test_a_gate_made_for_another_model(refused: Sluice, sluice: Sluice) -> None:
    one, two = tiny_model(Path("one"), seed=1), tiny_model(Path("two"), seed=2)
    trusted = f"trusted={pool('trusted.jsonl', 30)}"
    assert sluice("warmup", f"model={one}", trusted, *WARM_UP).code == 0
    assert sluice("prepare", f"sources=[{pool('data.jsonl', 12)}]").code == 0
    ended = refused(3, "score", "data=prepare", "gate=warmup", f"model={two}", "signals=[gate]")
    assert re.match(r"gate gate-\w+ was made for another model than .*two$", ended.error)
    assert "warm a gate up on this model" in ended.hint
    assert sluice("score", "data=prepare", "gate=warmup", f"model={one}", "signals=[gate]").code == 0


def test_too_few_trusted_rows(refused: Sluice, sluice: Sluice) -> None:
    assert sluice("prepare", f"sources=[{pool('trusted.jsonl', 3)}]").code == 0
    model = tiny_model(Path("one"))
    assert "too few" in refused(3, "warmup", f"model={model}", "trusted=prepare", *WARM_UP).error


# Artifacts ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def scored(sluice: Sluice) -> Path:
    """The folder of scores of a pool, by a signal that needs no gate."""
    model = tiny_model(Path("model"))
    ended = sluice("score", f"data={pool('data.jsonl', 24)}", f"model={model}", "signals=[length, perplexity]")
    assert ended.code == 0, ended.told
    return OUT / "score"


def test_an_artifact_edited_by_hand(scored: Path, refused: Sluice, sluice: Sluice) -> None:
    pick = ("select", "scores=score", "by=length", "options.rows=5")
    assert sluice(*pick, "rule=top_k").code == 0
    table = scored / "scores.parquet"
    found = pq.read_table(table)
    pq.write_table(found.slice(0, 10), table)
    ended = refused(3, *pick, "options.rows=6")
    assert ended.error == f"{load_lock(OUT)['score']}/scores.parquet was changed after it was made"
    assert "run its step again" in ended.hint
    ended = refused(4, "verify")
    assert "broken: " + load_lock(OUT)["score"] + "/scores.parquet was changed" in ended.out
    assert ended.out.count("whole") == 2
    shutil.rmtree(scored.resolve())
    assert sluice("score", "data=score.data", "model=model", "signals=[length, perplexity]").code == 0
    assert sluice(*pick, "options.rows=6").code == 0


def test_data_edited_by_hand(scored: Path, refused: Sluice) -> None:
    data = OUT / "score.data"
    table = pq.read_table(data / "messages.parquet")
    pq.write_table(table.slice(1), data / "messages.parquet")
    ended = refused(3, "score", "data=score.data", "model=model", "signals=[length]")
    assert "messages.parquet was changed after it was made" in ended.error


def test_an_artifact_that_is_gone(scored: Path, refused: Sluice) -> None:
    shutil.rmtree(scored.resolve())
    ended = refused(2, "select", "scores=score", "by=length", "options.rows=5")
    assert "no step, artifact or file" in ended.error


def test_data_of_other_scores(scored: Path, refused: Sluice) -> None:
    other = pool("other.jsonl", 5)
    assert main(["prepare", f"sources=[{other}]"]) == 0
    ended = refused(3, "select", "scores=score", "data=prepare", "by=length", "options.rows=20")
    assert "give the data these scores were made of" in ended.hint


def test_a_signal_that_was_not_scored(scored: Path, refused: Sluice) -> None:
    ended = refused(2, "select", "scores=score", "by=lenght", "options.rows=5")
    assert ended.hint == "did you mean 'length'?"


# Storage ------------------------------------------------------------------------------------------------------------


def failing(code: int, only: str = "") -> Callable[..., Any]:
    """A call the system refuses."""

    def call(*args: Any, **kw: Any) -> Any:
        raise OSError(code, os.strerror(code), only or None)

    return call


@pytest.mark.parametrize(("owner", "name"), [(os, "replace"), (Path, "rename"), (pq.ParquetWriter, "write_table")])
def test_a_full_disk_while_sealing(
    refused: Sluice, sluice: Sluice, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    with monkeypatch.context() as full:
        full.setattr(owner, name, failing(errno.ENOSPC))
        ended = refused(1, "prepare", "sources=[pool.jsonl]")
    assert re.match(r"the disk under runs/latest\S* is full$", ended.error)
    assert "finished steps stand" in ended.hint
    assert sluice("prepare", "sources=[pool.jsonl]").code == 0
    assert sluice("verify").code == 0


def test_no_write_permission(refused: Sluice, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as locked:
        locked.setattr(Path, "mkdir", failing(errno.EACCES, "runs"))
        ended = refused(1, "prepare", "sources=[pool.jsonl]")
    assert ended.error == "no permission for runs"
    assert "out=DIR" in ended.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(refused: Sluice) -> None:
    Path("runs").mkdir(mode=0o500)
    assert refused(1, "prepare", "sources=[pool.jsonl]").error.startswith("no permission for")


def test_a_file_where_the_run_should_be(refused: Sluice) -> None:
    Path("runs").touch()
    ended = refused(1, "prepare", "sources=[pool.jsonl]")
    assert "runs" in ended.error
    assert ended.error.endswith("is in the way")
