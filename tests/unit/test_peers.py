"""What one process says to itself, and to the one that started it; tests/pipeline/test_ranks.py has two that talk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate import peers
from sluicegate.errors import ConfigError, DataError, SluiceError
from sluicegate.peers import FAILURE, agree, launched, meet, read_failure, tell_failure


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", FAILURE):
        monkeypatch.delenv(name, raising=False)
    peers._board.cache_clear()


def test_one_process_agrees_with_itself_and_waits_for_nobody() -> None:
    assert agree("have") == "have"
    meet()


def test_processes_that_cannot_find_each_other_are_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"one of 2 processes that cannot find each other.*\nhint: .*torchrun"):
        agree("have")


def test_a_failure_is_told_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert not launched()
    tell_failure(DataError("no rows", "add some"))
    assert capsys.readouterr().err == "error: no rows\nhint: add some\n"


def test_a_failure_is_left_to_the_process_that_started_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FAILURE, str(tmp_path / "failure.json"))
    assert launched()
    assert read_failure(tmp_path / "failure.json") is None
    tell_failure(DataError("no rows", "add some"))
    assert capsys.readouterr().err == ""
    found = read_failure(tmp_path / "failure.json")
    assert (type(found), str(found)) == (DataError, "no rows\nhint: add some")


def test_an_error_of_a_plug_in_is_read_as_one_of_ours(tmp_path: Path) -> None:
    (tmp_path / "failure.json").write_text('["TheirError", "too green", ""]', encoding="utf-8")
    found = read_failure(tmp_path / "failure.json")
    assert (type(found), str(found)) == (SluiceError, "too green")
