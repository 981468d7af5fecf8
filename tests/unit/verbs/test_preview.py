"""The verb on artifacts of both kinds and on raw files."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from sluicegate.artifacts import write_json, write_table
from sluicegate.cli import main
from sluicegate.schema import Message, Pair, Record, make_pair
from sluicegate.testing import sealed, tiny_model, tiny_pool
from sluicegate.verbs.preview import _drawn

POOL = tiny_pool(12)


def _said(text: str) -> list[Message]:
    return [{"role": "assistant", "content": text}]


PAIRS = [make_pair([{"role": "user", "content": f"{n}?"}], _said("yes"), _said("no"), "s", "en") for n in range(4)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose run `a` prepared messages, pairs and nothing, with a model and raw files beside it."""
    folder = tmp_path_factory.mktemp("preview")
    out = folder / "runs" / "a"
    tiny_model(folder / "model")
    tables: dict[str, tuple[type, list[Record] | list[Pair]]] = {"messages": (Record, POOL), "pairs": (Pair, PAIRS)}
    lock = {
        kind: sealed(
            out / "artifacts",
            kind,
            lambda at, kind=kind, row=row, rows=rows: {"rows": write_table(at / f"{kind}.parquet", rows, row)},
        ).id
        for kind, (row, rows) in tables.items()
    }
    empty = {"pins": {"empty": "yes"}}
    lock["empty"] = sealed(
        out / "artifacts", "messages", lambda at: {"rows": write_table(at / "messages.parquet", [], Record)}, {}, empty
    ).id
    lock["gate"] = sealed(out / "artifacts", "gate", lambda at: {}).id
    write_json(out / "lock.json", lock)
    raw = [{"prompt": r["messages"][0]["content"], "completion": r["messages"][1]["content"]} for r in POOL]
    (folder / "raw.jsonl").write_text("broken\n" + "\n".join(map(json.dumps, raw)), encoding="utf-8")
    (folder / "broken.jsonl").write_text("broken\n", encoding="utf-8")
    return folder


@pytest.fixture
def run(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    monkeypatch.setenv("COLUMNS", "100")
    return made


def shown(capsys: pytest.CaptureFixture[str], *asked: str) -> str:
    assert main(["preview", *asked]) == 0
    return capsys.readouterr().out


def ids(text: str) -> list[str]:
    return re.findall(r"^([0-9a-f]{16}) · ", text, re.MULTILINE)


def test_the_first_rows_are_shown_turn_by_turn(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "messages")
    assert ids(text) == [r["id"] for r in POOL[:3]]
    assert POOL[1]["messages"][0]["content"] in text
    assert ids(shown(capsys, "messages", "--rows", "50")) == [r["id"] for r in POOL]


def test_with_a_model_labels_are_told_apart(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "messages", "--model", "model", "--rows", "1")
    assert f"⟦{POOL[0]['messages'][1]['content']}<|endoftext|>⟧" in text
    assert re.search(r"\d+ tokens · \d+ of them labels", text)
    short = shown(capsys, "messages", "--model", "model", "--rows", "1", "--max-length", "10")
    assert "10 tokens · no label among them · " in short
    assert "✂" in short


def test_a_pair_has_three_parts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (["pairs"], ["pairs", "--model", "model"]):
        text = shown(capsys, *asked, "--rows", "1")
        assert re.findall(r"^(prompt|chosen|rejected)", text, re.MULTILINE) == ["prompt", "chosen", "rejected"]


def test_a_raw_file_is_shown_as_it_would_be_prepared(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ids(shown(capsys, "raw.jsonl", "--rows", "2")) == [r["id"] for r in POOL[:2]]
    assert ids(shown(capsys, "raw*.jsonl", "--rows", "2")) == [r["id"] for r in POOL[:2]]


def test_a_raw_file_of_preferences_is_shown_as_pairs(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"prompt": "4?", "chosen": "yes", "rejected": "no"}
    Path("preferred.jsonl").write_text(json.dumps(row), encoding="utf-8")
    assert re.findall(r"^(prompt|chosen|rejected)", shown(capsys, "preferred.jsonl"), re.MULTILINE) == [
        "prompt",
        "chosen",
        "rejected",
    ]


def test_one_row_by_the_beginning_of_its_id(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = POOL[7]["id"]
    assert ids(shown(capsys, "messages", "--id", wanted[:8])) == [wanted]


def test_a_seed_draws_the_same_rows_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once, again, other = (ids(shown(capsys, "messages", "--seed", seed)) for seed in "112")
    assert once == again != other
    assert len(set(once)) == 3


def test_every_row_is_as_likely_to_be_drawn_as_any_other() -> None:
    seen = Counter(row for seed in range(2000) for row in _drawn(range(10), 3, seed))
    assert set(seen) == set(range(10))
    assert all(500 < n < 700 for n in seen.values())
    assert _drawn(range(2), 3, 0) == [0, 1]


def test_the_page_holds_the_same_rows(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "messages", "--model", "model", "--html", "pages/preview.html")
    assert text.splitlines()[-1] == "pages/preview.html"
    assert re.findall(r"<h2>(\w+)</h2>", Path("pages/preview.html").read_text(encoding="utf-8")) == ids(text)


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (["messages", "--rows", "0"], 2, "hint: ask for --rows 3"),
        (["messages", "--id", "zzz"], 3, "no row 'zzz' in messages"),
        (["messages", "--id", ""], 3, f"{len(POOL)} rows of messages begin with ''"),
        (["empty"], 3, "empty has no rows"),
        (["gate"], 3, "holds no rows to preview"),
        (["nothing"], 3, "no artifact and no step 'nothing'"),
        (["brokn.jsonl"], 3, "no file brokn.jsonl\nhint: did you mean 'broken.jsonl'?"),
        (["broken.jsonl"], 3, "broken.jsonl line 1: invalid JSON: Expecting value; none of the first"),
        (["messages", "--model", "./nowhere"], 3, "no artifact and no step './nowhere'"),
    ],
)
def test_what_cannot_be_shown_is_told_with_a_hint(
    run: Path, capsys: pytest.CaptureFixture[str], asked: list[str], code: int, told: str
) -> None:
    assert main(["preview", *asked]) == code
    error = capsys.readouterr().err
    assert told in error
    assert "hint: " in error
