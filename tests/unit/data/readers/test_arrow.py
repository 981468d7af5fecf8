from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_files import ON_DISK, TEXT, values, write
from sluicegate.data.readers import chunks
from sluicegate.errors import DataError

ROWS = [{"messages": [{"role": "user", "content": str(n)}], "n": n} for n in range(600)]


def write_arrow(path: Path, rows: list[Any], stream: bool, batch: int = 500) -> Path:
    table = pa.Table.from_pylist(rows)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=batch)
    return path


@pytest.mark.parametrize("stream", [True, False])
def test_files_and_streams_keep_nested_columns(tmp_path: Path, stream: bool) -> None:
    assert values(write_arrow(tmp_path / "x.arrow", ROWS, stream)) == ROWS


def test_the_cache_of_datasets_is_such_a_stream(tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_list(ROWS[:5]).save_to_disk(tmp_path / "set")
    (path,) = (tmp_path / "set").glob("*.arrow")
    assert values(path) == ROWS[:5]


def test_a_chunk_holds_its_own_rows_and_no_others(tmp_path: Path) -> None:
    rows = [{"a": "x" * 1000} for _ in range(600)]
    cut = list(chunks(write_arrow(tmp_path / "x.arrow", rows, stream=True, batch=600)))
    assert [(c.first, c.n_rows) for c in cut] == [(1, 256), (257, 256), (513, 88)]
    assert len(pickle.dumps(cut[-1])) < 100_000
    assert [row.line for row in pickle.loads(pickle.dumps(cut[-1])).rows()] == list(range(513, 601))


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"no arrow at all"])
def test_what_is_no_arrow_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"x\.arrow (is broken|has no rows)"):
        values(write(tmp_path / "x.arrow", content))


@pytest.mark.parametrize("stream", [True, False])
def test_a_file_cut_short_is_told(tmp_path: Path, stream: bool) -> None:
    path = write_arrow(tmp_path / "x.arrow", ROWS, stream)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"x\.arrow is broken"):
        values(path)


@ON_DISK
@given(rows=st.lists(st.fixed_dictionaries({"a": TEXT, "b": st.lists(TEXT, max_size=2)}), min_size=1, max_size=5))
def test_any_rows_come_back(tmp_path: Path, rows: list[Any]) -> None:
    schema = pa.schema({"a": pa.string(), "b": pa.list_(pa.string())})
    with pa.ipc.new_stream(tmp_path / "x.arrow", schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema))
    assert values(tmp_path / "x.arrow") == rows
