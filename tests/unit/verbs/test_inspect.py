"""The verb on real scores of a tiny model and gate, in two languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, external, write_json, write_table
from sluicegate.cli import main
from sluicegate.config import build, result_fields
from sluicegate.schema import Message, Record, make_record
from sluicegate.stages.score import Score
from sluicegate.testing import sealed, tiny_gate, tiny_model, tiny_pool

MAX_LENGTH = 160


def _talk(*contents: str) -> Record:
    messages: list[Message] = [
        {"role": ("user", "assistant")[n % 2 == 1], "content": text}  # type: ignore[typeddict-item]
        for n, text in enumerate(contents)
    ]
    return make_record(messages, "tiny/talk", "en")


TALK = _talk("你好 [bold]？", "Well [red]<b>.", "And?", "Better.")
LONG = _talk("How much? " * 40, "Much.")
POOL = [*tiny_pool(12), TALK, LONG]


def _scored(store: Path, data: Artifact, inputs: dict[str, Artifact], **options: Any) -> Artifact:
    config = build(Score.Config, {"max_length": MAX_LENGTH, **options})
    recipe = {"config": result_fields(config)}
    wired = {"data": data, **inputs}
    return sealed(store, "scores", lambda out: Score().fill(out, config, wired), wired, recipe)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose run `a` scored a pool with tokens, without them, and with tokens but no gate."""
    folder = tmp_path_factory.mktemp("inspect")
    out = folder / "runs" / "a"
    store = out / "artifacts"
    model = tiny_model(folder / "model")
    gate = tiny_gate(store, model)
    pool = {"pins": {"pool": "test"}}
    data = sealed(store, "messages", lambda at: {"rows": write_table(at / "messages.parquet", POOL, Record)}, {}, pool)
    base = external(model, "model-external-base")
    lock = {
        "tokens": _scored(store, data, {"gate": gate}, signals=["gate", "perplexity"], detail="tokens"),
        "ungated": _scored(store, data, {"model": base}, signals=["perplexity"], detail="tokens"),
        "plain": _scored(store, data, {"gate": gate}, signals=["gate"]),
    }
    write_json(out / "lock.json", {"pool": data.id} | {step: found.id for step, found in lock.items()})
    return folder


@pytest.fixture
def run(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    monkeypatch.setenv("COLUMNS", "100")
    return made


def test_a_record_is_shown_by_the_beginning_of_its_id(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chinese = POOL[1]
    assert main(["inspect", chinese["id"][:8], "--scores", "tokens"]) == 0
    shown = capsys.readouterr().out
    n_tokens = len("答案是 9。".encode()) + 1
    assert f"{chinese['id']} · tiny/1 · zh · " in shown
    assert "2 加 2 等于多少？" in shown
    assert chinese["messages"][1]["content"] + "<|endoftext|>" in shown, "byte tokens are put together"
    assert f"{n_tokens} response tokens · 2 gated layers" in shown
    assert re.search(r"gate +-?\d+\.\d{3} +\d+ of 13 +\d", shown), "the row cut to nothing has no rank"
    assert [len(line) for line in re.findall(r"^ +(?:0|1|nll) ([▁-█]+) *$", shown, re.M)] == [n_tokens] * 3
    assert shown.count("⟦") == len("答案是 9。") + 1, "one line for each piece where there are few"


def test_the_last_scores_with_tokens_are_read_when_none_are_named(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", TALK["id"]]) == 0
    shown = capsys.readouterr().out
    assert "0 gated layers" in shown
    assert "response, coloured by nll under the median" in shown


def test_every_turn_is_shown_and_no_markup_is_obeyed(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", TALK["id"], "--scores", "tokens"]) == 0
    shown = capsys.readouterr().out
    assert "user: 你好 [bold]？" in shown
    assert "  Well [red]<b>.<|endoftext|>" in shown
    assert "  Better.<|endoftext|>" in shown


def test_the_worst_and_the_best_by_a_signal(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ranks(*args: str) -> list[str]:
        assert main(["inspect", *args, "--scores", "tokens"]) == 0
        return re.findall(r"perplexity +\S+ +(\d+ of \d+)", capsys.readouterr().out)

    assert ranks("--best", "2", "--by", "perplexity") == ["1 of 13", "2 of 13"]
    assert ranks("--worst", "2", "--by", "perplexity") == ["13 of 13", "12 of 13"]


def test_a_record_without_a_response_token_says_so(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", LONG["id"], "--scores", "tokens", "--html", "long.html"]) == 0
    shown = capsys.readouterr().out
    assert "0 response tokens" in shown
    assert "tokens cut off" in shown
    assert "no response token left" in shown
    assert "no response token was read" in shown
    assert "No response token was read." in Path("long.html").read_text()


def test_the_page_holds_the_same_record(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", TALK["id"], "--scores", "tokens", "--html", "pages/talk.html"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "pages/talk.html"
    page = Path("pages/talk.html").read_text(encoding="utf-8")
    assert page.count('class="token"') == len("Well [red]<b>.Better.") + 2
    assert "你好 [bold]？" in page


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        (["zzzz"], 3, "no record 'zzzz' in scores-"),
        ([TALK["id"][:-1] + "~"], 3, f"hint: did you mean '{TALK['id']}'?"),
        ([""], 3, f"{len(POOL)} records of "),
        (["--worst", "0"], 2, "hint: ask for --worst 3 or --best 3"),
        (["--worst", "1", "--by", "length"], 2, "hint: --by one of gate, perplexity"),
        ([TALK["id"], "--scores", "plain"], 3, "hint: score again with detail=tokens"),
        ([TALK["id"], "--scores", "pool"], 3, "is of kind messages"),
    ],
)
def test_what_cannot_be_shown_is_told_with_a_hint(
    run: Path, capsys: pytest.CaptureFixture[str], asked: list[str], code: int, told: str
) -> None:
    assert main(["inspect", "--scores", "tokens", *asked]) == code
    assert told in capsys.readouterr().err


def test_a_run_without_scores_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["inspect", "abc"]) == 3
    assert "no scores in runs/latest" in capsys.readouterr().err


def test_scores_that_no_longer_fit_their_tokens_are_told(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sluicegate.models.encode import Encoded

    monkeypatch.setattr(Encoded, "n_label", 7)
    assert main(["inspect", TALK["id"], "--scores", "tokens"]) == 3
    assert f"{TALK['id']} has 7 response tokens, and 23 in scores-" in capsys.readouterr().err
