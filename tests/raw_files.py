"""Raw files for the tests of everything that reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sluicegate.data.readers import read

SHARED = Path(__file__).parents[2] / "shared" / "data"
"""Real files, which may not be here."""

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ON_DISK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, content: str | bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    """A file with a line of JSON per row."""
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_any(path: Path, rows: list[Any]) -> Path:
    """A file in the format its ending names, of rows with the same columns, all text."""
    table, plain = pa.Table.from_pylist(rows), path.name.removesuffix(".zst")
    with path.open("wb") as file:
        if path.suffix == ".arrow":
            with pa.ipc.new_stream(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=1000)
        elif path.suffix == ".parquet":
            pq.write_table(table, file, row_group_size=1000)
        else:
            text = {
                ".jsonl": lambda: "".join(json.dumps(row) + "\n" for row in rows),
                ".json": lambda: json.dumps(rows),
                ".csv": lambda: ",".join(rows[0]) + "\n" + "".join(",".join(row.values()) + "\n" for row in rows),
            }[Path(plain).suffix]().encode()
            file.write(zstandard.ZstdCompressor().compress(text) if plain != path.name else text)
    return path


def values(path: Path) -> list[Any]:
    """What the rows of a file hold."""
    return [row.value for row in read(path)]
