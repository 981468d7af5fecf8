"""Notes are there for whoever comes after a kill."""

from __future__ import annotations

from pathlib import Path

from sluicegate.scoring.notes import Notes


def test_what_is_taken_down_is_known_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "shards/notes.jsonl"
    first = Notes(path)
    first.take_down("a 问", 1.5)
    first.take_down("b", 2.0)
    assert first.known == Notes(path).known == {"a 问": 1.5, "b": 2.0}


def test_a_line_that_was_cut_off_is_lost_and_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    Notes(path).take_down("a", 1.0)
    with path.open("a", encoding="utf-8") as file:
        file.write('\n["b", 2')
    after = Notes(path)
    assert after.known == {"a": 1.0}
    after.take_down("c", 3.0)
    assert Notes(path).known == {"a": 1.0, "c": 3.0}


def test_without_a_file_nothing_is_kept() -> None:
    notes = Notes(None)
    notes.take_down("a", 1.0)
    assert notes.known == {"a": 1.0}
