from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_files import JSON, ON_DISK, values, write
from sluicegate.data.readers import chunks, json_list, read
from sluicegate.errors import DataError

ROWS = [{"a": 1, "b": "é"}, {"a": 2, "b": "中文\n第二行"}]


@pytest.mark.parametrize("head", ["", "\ufeff", "\n "])
def test_a_list_of_rows(tmp_path: Path, head: str) -> None:
    assert values(write(tmp_path / "x.json", head + json.dumps(ROWS, indent=2))) == ROWS


def test_lines_under_a_json_ending_are_read_as_lines(tmp_path: Path) -> None:
    assert values(write(tmp_path / "x.json", "\n".join(map(json.dumps, ROWS)))) == ROWS


def test_a_list_is_read_through_a_small_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_list, "WINDOW_CHARS", 7)
    rows = [{"a": "x" * n, "b": [n]} for n in range(40)]
    assert values(write(tmp_path / "x.json", json.dumps(rows, indent=1))) == rows
    assert values(write(tmp_path / "y.json", json.dumps([123456789, 12, True]))) == [123456789, 12, True]


def test_a_long_list_is_cut_into_chunks(tmp_path: Path) -> None:
    cut = list(chunks(write(tmp_path / "x.json", json.dumps(list(range(600))))))
    assert [(c.first, c.n_rows) for c in cut] == [(1, 256), (257, 256), (513, 88)]


def test_escaped_pairs_and_nested_bad_utf8_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", b'[{"a": "\\ud83d\\ude00"}, {"a": ["\xff"]}, {"a": "\xe4\xb8\xad"}]')
    assert [(r.value, r.reason) for r in read(path)] == [
        ({"a": "😀"}, ""),
        (None, "invalid UTF-8"),
        ({"a": "中"}, ""),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[{"a": 1},\n{"a" 2}]', "line 2: invalid JSON: Expecting ':' delimiter"),
        ('[{"a": 1},\n{"a": 2}\n', "line 2: invalid JSON: Expecting ',' delimiter"),
    ],
)
def test_a_fault_ends_the_list_at_its_line(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        values(write(tmp_path / "x.json", content))
    assert told in caught.value.message
    assert ".jsonl" in caught.value.hint


@ON_DISK
@given(rows=st.lists(JSON, min_size=1, max_size=5), size=st.integers(2, 50))
def test_any_json_comes_back(tmp_path: Path, rows: list[Any], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_list, "WINDOW_CHARS", size)
        assert values(write(tmp_path / "x.json", json.dumps(rows, ensure_ascii=False))) == rows
