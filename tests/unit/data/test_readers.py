from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluicegate.data import readers
from sluicegate.data.readers import chunk as chunks
from sluicegate.data.readers import json_lines, json_list, read, stem
from sluicegate.errors import DataError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
ON_DISK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def values(path: Path) -> list[Any]:
    return [row.value for row in read(path)]


ROWS = [{"a": 1, "b": "é"}, {"a": 2, "b": "中文\n第二行"}]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
def test_json_in_lines_or_in_a_list_plain_or_gzipped(tmp_path: Path, name: str, compressed: bool) -> None:
    content = json.dumps(ROWS, indent=2) if name == "x.json" else "\n\n".join(map(json.dumps, ROWS))
    data = gzip.compress(content.encode()) if compressed else content.encode()
    assert values(write(tmp_path / (name + ".gz" * compressed), data)) == ROWS


def test_json_lines_under_a_json_ending_are_read_as_lines(tmp_path: Path) -> None:
    assert values(write(tmp_path / "x.json", "\n".join(map(json.dumps, ROWS)))) == ROWS


def test_csv_rows_are_placed_at_their_first_line(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", '\ufeffa,b\n1,"two\nlines"\n\n3,four,five\n5,six\n')
    rows = list(read(path))
    assert [(r.line, r.value) for r in rows if not r.reason] == [
        (2, {"a": "1", "b": "two\nlines"}),
        (6, {"a": "5", "b": "six"}),
    ]
    assert [(r.line, r.reason) for r in rows if r.reason] == [(5, "invalid CSV: 3 cells under 2 names")]


def test_parquet_keeps_nested_columns(tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": str(n)}]} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    assert values(tmp_path / "x.parquet") == rows


def test_a_byte_order_mark_belongs_to_no_row(tmp_path: Path) -> None:
    assert values(write(tmp_path / "x.jsonl", '\ufeff{"a": 1}\n')) == [{"a": 1}]
    assert values(write(tmp_path / "x.json", '\ufeff[{"a": 1}]')) == [{"a": 1}]


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
        (b"[" * 100_000, "invalid JSON: maximum recursion depth exceeded"),
        (b"9" * 5000, "invalid JSON: Exceeds the limit"),
    ],
)
def test_one_bad_line_is_set_aside_at_its_place_and_the_rest_is_read(tmp_path: Path, line: bytes, reason: str) -> None:
    rows = list(read(write(tmp_path / "x.jsonl", b'{"a": 1}\n\n' + line + b'\n{"a": 2}\n')))
    assert [r.value for r in rows if not r.reason] == [{"a": 1}, {"a": 2}]
    assert [(r.line, r.reason[: len(reason)]) for r in rows if r.reason] == [(3, reason)]
    assert all(r.head.encode("utf-8") for r in rows)


def test_escaped_pairs_and_nested_bad_utf8_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", b'[{"a": "\\ud83d\\ude00"}, {"a": ["\xff"]}, {"a": "\xe4\xb8\xad"}]')
    assert [(r.value, r.reason) for r in read(path)] == [
        ({"a": "😀"}, ""),
        (None, "invalid UTF-8"),
        ({"a": "中"}, ""),
    ]


def test_a_line_past_the_limit_is_set_aside_unparsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_ROW_CHARS", 100)
    rows = list(read(write(tmp_path / "x.jsonl", f'{{"a": "{"x" * 950}"}}\n{{"a": 1}}\n')))
    assert [(r.line, r.value, r.reason) for r in rows] == [
        (1, None, "too long: more than 100 bytes"),
        (2, {"a": 1}, ""),
    ]
    assert len(rows[0].head) <= readers.HEAD_CHARS


def test_a_list_is_read_through_a_small_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_list, "WINDOW_CHARS", 7)
    rows = [{"a": "x" * n, "b": [n]} for n in range(40)]
    assert values(write(tmp_path / "x.json", json.dumps(rows, indent=1))) == rows
    assert values(write(tmp_path / "y.json", json.dumps([123456789, 12, True]))) == [123456789, 12, True]


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        ("x.jsonl", b"", "has no rows", "empty file"),
        ("x.jsonl", b"\n \n", "has no rows", "empty file"),
        ("x.json", b"[]", "has no rows", "empty file"),
        ("x.csv", b"a,b\n", "has no rows", "empty file"),
        ("x.json", b'[{"a": 1},\n{"a" 2}]', "x.json line 2: invalid JSON: Expecting ':' delimiter", ".jsonl"),
        ("x.json", b'[{"a": 1},\n{"a": 2}\n', "x.json line 2: invalid JSON: Expecting ',' delimiter", ".jsonl"),
        ("x.parquet", b"PAR1 no", "x.parquet is broken", "again"),
        ("x.jsonl.gz", b"no gzip", "not whole after line 0", "again"),
        ("x.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 9, mtime=0)[:-12], "not whole after line", "again"),
        ("x.txt", b"a", "unknown ending", ".jsonl"),
        ("x.parquet.gz", b"a", "unknown ending", ".jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_with_a_place_and_a_hint(
    tmp_path: Path, name: str, content: bytes, message: str, hint: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 3


def test_a_missing_file_gets_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path / "pool.jsonl", "{}")
    with pytest.raises(DataError, match=r"no file .*pol\.jsonl") as caught:
        list(read(tmp_path / "pol.jsonl"))
    assert caught.value.hint == "did you mean 'pool.jsonl'?"
    with pytest.raises(DataError, match="no file"):
        list(read(tmp_path / "nowhere" / "pool.jsonl"))


def test_a_folder_is_the_files_in_it(tmp_path: Path) -> None:
    for name in ("b.jsonl.gz", "a.json", ".hidden.json", "notes.txt", "dataset_info.json"):
        write(tmp_path / name, "")
    assert [p.name for p in readers.files(tmp_path)] == ["a.json", "b.jsonl.gz"]
    with pytest.raises(DataError, match="is a folder, where a file is needed"):
        list(read(tmp_path))


def test_a_file_of_someone_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.jsonl", "{}")

    def refuse(*args: object, **kw: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="may not be read"):
        list(read(path))


def test_the_stem_is_the_name_without_endings() -> None:
    assert [stem(Path(p)) for p in ("d/gsm8k.jsonl.gz", "a.b.csv", "x.parquet")] == ["gsm8k", "a.b", "x"]


@ON_DISK
@given(rows=st.lists(JSON, min_size=1, max_size=5), chunk=st.integers(2, 50))
def test_any_json_comes_back_from_lines_and_from_lists(tmp_path: Path, rows: list[Any], chunk: int) -> None:
    lines = "\n".join(json.dumps(r, ensure_ascii=False) for r in rows)
    assert values(write(tmp_path / "x.jsonl", lines)) == rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_list, "WINDOW_CHARS", chunk)
        patch.setattr(chunks, "CHUNK_BYTES", chunk)
        assert values(write(tmp_path / "x.json", json.dumps(rows, ensure_ascii=False))) == rows


@ON_DISK
@given(content=st.binary(max_size=200), name=st.sampled_from(["x.jsonl", "x.json", "x.csv", "x.parquet", "x.jsonl.gz"]))
def test_any_bytes_end_in_rows_or_in_a_data_error(tmp_path: Path, content: bytes, name: str) -> None:
    path = write(tmp_path / name, content)
    with suppress(DataError):
        assert list(read(path))
