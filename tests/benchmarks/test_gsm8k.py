from __future__ import annotations

import json
import statistics
from pathlib import Path

from gsm8k import FILE, PIECES, draw, made_up, messages, write_pool


def test_rows_are_those_of_the_file_where_there_is_one(tmp_path: Path) -> None:
    lines = [json.dumps({"question": f"How many {n}?", "answer": f"#### {n}"}) for n in range(5)]
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text("\n".join(lines), encoding="utf-8")
    assert draw(2, tmp_path) == ([("How many 0?", "#### 0"), ("How many 1?", "#### 1")], "GSM8K")


def test_rows_are_made_up_where_there_is_no_file_and_it_is_said(tmp_path: Path) -> None:
    rows, which = draw(3, tmp_path)
    assert rows == made_up(3)
    assert which.startswith("made up")


def test_made_up_rows_are_all_different_as_long_as_told_and_begin_alike() -> None:
    rows = made_up(2000)
    assert rows[:10] == made_up(10)
    assert len(set(rows)) == len(rows)
    for part, texts in zip(PIECES, zip(*rows, strict=True), strict=True):
        middle = statistics.median(len(text.split()) for text in texts)
        assert abs(middle / 2.718 ** PIECES[part][0] - 1) < 0.05
    short = statistics.mean(len(answer) for _, answer in made_up(2000, share=0.2))
    assert 0.15 < short / statistics.mean(len(answer) for _, answer in rows) < 0.25


def test_a_pool_is_one_conversation_a_line(tmp_path: Path) -> None:
    lines = write_pool(tmp_path / "p.jsonl", made_up(3)).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["messages"] for line in lines] == [messages(row) for row in made_up(3)]
