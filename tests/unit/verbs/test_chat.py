"""A conversation line by line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sluicegate.cli import main
from sluicegate.models.load import load
from sluicegate.models.sampling import Sampling
from sluicegate.testing import tiny_model
from sluicegate.verbs.chat import Talk


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def said(model: Path, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["chat", str(model), "max_new_tokens=6"]) == 0
    return capsys.readouterr().out.splitlines(keepends=True)


def test_a_conversation_goes_on_until_its_end(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    once = said(model, "Hi\n", monkeypatch, capsys)
    assert said(model, "Hi\n/new\nHi\n", monkeypatch, capsys) == once * 2, "nothing is left of what was forgotten"
    assert said(model, "Hi\n\n/exit\nHi\n", monkeypatch, capsys) == once, "nothing is said after the end"


def test_what_was_said_is_part_of_the_prompt(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(load(model, device="cpu"), Sampling(max_new_tokens=4), system="Be brief.")
    talk.answer("Hi")
    first = len(talk._prompt())
    talk.answer("And?")
    assert [turn["role"] for turn in talk.turns] == ["user", "assistant"] * 2
    assert len(talk._prompt()) > first
    text = talk.loaded.tokenizer.decode(talk._prompt())
    assert "Be brief." in text
    assert "And?" in text


def test_the_oldest_turns_go_where_there_is_no_room(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(load(model, device="cpu"), Sampling(max_new_tokens=4), system=None)
    size = talk.loaded.model.config.max_position_embeddings
    for n in range(4):
        talk.answer(f"{n}" * (size // 3))
    assert [turn["content"][0] for turn in talk.turns if turn["role"] == "user"] == ["2", "3"]
    assert "oldest question and answer are left out" in capsys.readouterr().err
