from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_files import JSON, ON_DISK, values, write
from sluicegate.data.readers import HEAD_CHARS, chunk, chunks, json_lines, read


def test_blank_lines_and_the_byte_order_mark_are_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", '\ufeff{"a": 1}\r\n\n \t\n{"a": 2}')
    assert [(row.line, row.value) for row in read(path)] == [(1, {"a": 1}), (4, {"a": 2})]


def test_nan_is_null(tmp_path: Path) -> None:
    assert values(write(tmp_path / "x.jsonl", '{"a": NaN}\n')) == [{"a": None}]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "invalid JSON: Expecting ',' delimiter"),
        (b"{'a': 1}", "invalid JSON: Expecting property name enclosed in double quotes"),
        (b'{"a": "\xff\xfe"}', "invalid UTF-8"),
        (b"\xd6\xd0\xce\xc4", "invalid UTF-8"),
        (rb'{"a": "\ud83d"}', "invalid UTF-8"),
        (rb'{"a": "\uD83D"}', "invalid UTF-8"),
        (b"[" * 100_000, "invalid JSON: maximum recursion depth exceeded"),
        (b"9" * 5000, "invalid JSON: Exceeds the limit"),
    ],
)
def test_one_bad_line_is_set_aside_at_its_place_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    rows = list(read(write(tmp_path / "x.jsonl", b'{"a": 1}\n\n' + line + b'\n{"a": 2}\n')))
    assert [r.value for r in rows if not r.reason] == [{"a": 1}, {"a": 2}]
    assert [(r.line, r.reason[: len(reason)]) for r in rows if r.reason] == [(3, reason)]
    assert all(r.head.encode("utf-8") for r in rows)


def test_an_escaped_pair_is_one_character(tmp_path: Path) -> None:
    assert values(write(tmp_path / "x.jsonl", rb'{"a": "\ud83d\ude00"}')) == [{"a": "😀"}]


@pytest.mark.parametrize("chunk_bytes", [7, 1 << 19])
def test_a_line_past_the_limit_is_set_aside_unparsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(json_lines, "MAX_ROW_CHARS", 100)
    monkeypatch.setattr(chunk, "CHUNK_BYTES", chunk_bytes)
    rows = list(read(write(tmp_path / "x.jsonl", f'{{"a": "{"é" * 950}"}}\n{{"a": 1}}\n')))
    assert [(r.line, r.value, r.reason) for r in rows] == [
        (1, None, "too long: more than 100 bytes"),
        (2, {"a": 1}, ""),
    ]
    assert len(rows[0].head) <= HEAD_CHARS


def test_an_endless_line_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_ROW_CHARS", 1000)
    monkeypatch.setattr(chunk, "CHUNK_BYTES", 100)
    longest = max(len(c.body) for c in json_lines.cut(io.BytesIO(b"x" * 100_000 + b"\n{}\n")))
    assert longest <= 1001


def test_the_chunks_of_a_file_are_its_lines_cut_anywhere_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk, "CHUNK_BYTES", 50)
    path = write(tmp_path / "x.jsonl", "\n".join(json.dumps({"a": n}) for n in range(40)))
    cut = list(chunks(path))
    assert len(cut) > 5
    assert sum(c.n_rows for c in cut) == 40
    assert [r.value["a"] for c in cut for r in c.rows()] == list(range(40))
    assert [r.line for c in cut for r in c.rows()] == list(range(1, 41))


@ON_DISK
@given(rows=st.lists(JSON, min_size=1, max_size=5), size=st.integers(2, 50))
def test_any_json_comes_back(tmp_path: Path, rows: list[Any], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk, "CHUNK_BYTES", size)
        assert values(write(tmp_path / "x.jsonl", "\n".join(json.dumps(r, ensure_ascii=False) for r in rows))) == rows
