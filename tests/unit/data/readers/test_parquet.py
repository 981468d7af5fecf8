from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raw_files import values, write
from sluicegate.data.readers import chunks
from sluicegate.errors import DataError

ROWS = [{"messages": [{"role": "user", "content": str(n)}]} for n in range(300)]


def test_nested_columns_are_kept_and_rows_counted(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.parquet", row_group_size=100)
    assert values(tmp_path / "x.parquet") == ROWS
    cut = list(chunks(tmp_path / "x.parquet"))
    assert sum(c.n_rows for c in cut) == 300
    assert [row.line for c in cut for row in c.rows()] == list(range(1, 301))


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.parquet is broken"):
        values(write(tmp_path / "x.parquet", b"PAR1 no"))


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has no rows"):
        values(tmp_path / "x.parquet")
