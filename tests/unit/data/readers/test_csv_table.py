from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_files import ON_DISK, values, write
from sluicegate.data.readers import chunks, csv_table, read
from sluicegate.errors import DataError


def test_rows_are_placed_at_their_first_line(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", '\ufeffa,b\n1,"two\nlines"\n\n3,four,five\n5,six\n')
    rows = list(read(path))
    assert [(r.line, r.value) for r in rows if not r.reason] == [
        (2, {"a": "1", "b": "two\nlines"}),
        (6, {"a": "5", "b": "six"}),
    ]
    assert [(r.line, r.reason) for r in rows if r.reason] == [(5, "invalid CSV: 3 cells under 2 names")]


def test_bad_bytes_set_a_row_aside(tmp_path: Path) -> None:
    assert [r.reason for r in read(write(tmp_path / "x.csv", b"a\n\xff\nb\n"))] == ["invalid UTF-8", ""]


def test_a_quote_never_closed_is_told_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MAX_ROW_CHARS", 1000)
    with pytest.raises(DataError, match=r"x\.csv line \d+: invalid CSV: field larger"):
        values(write(tmp_path / "x.csv", 'a\n"' + "x\n" * 1000))


def test_a_long_table_is_cut_into_chunks(tmp_path: Path) -> None:
    cut = list(chunks(write(tmp_path / "x.csv", "a\n" + "1\n" * 300)))
    assert [(c.first, c.n_rows) for c in cut] == [(2, 256), (258, 44)]


@ON_DISK
@given(cells=st.lists(st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\x00"))] * 2), min_size=1))
def test_any_text_comes_back(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *cells])
    assert values(path) == [{"a": a, "b": b} for a, b in cells]
