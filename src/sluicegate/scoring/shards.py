"""Scores on disk while they are made: one file per pass and shard, whole or not there, merged at the end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.artifacts import write_tables
from sluicegate.errors import DataError
from sluicegate.schema import Record

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "shards"


def shards(records: Iterable[Record], shard_rows: int) -> Iterator[tuple[int, list[Record]]]:
    """(first row, records) of each shard."""
    stream, first = iter(records), 0
    while chunk := list(islice(stream, shard_rows)):
        yield first, chunk
        first += len(chunk)


def shard_path(out: Path, step: str, first: int, n_rows: int) -> Path:
    """Names its rows, so that a shard of another size is never taken for it."""
    return out / FOLDER / f"{step}-{first:012d}-{n_rows}.parquet"


def write_shard(path: Path, columns: Mapping[str, Any]) -> None:
    """Columns of one shard, renamed into place once they are whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    pq.write_table(pa.table(dict(columns)), draft)
    os.replace(draft, path)


def merge(out: Path, files: Sequence[Sequence[Path]], signals: Iterable[str]) -> dict[str, int]:
    """Write `scores.parquet` from the files of every pass, take the shards away, and count.

    Args:
        files: for each pass its shard files, all in the same order.

    Raises:
        DataError: there was not one row.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counts = {"label_tokens": 0, "truncated": 0, **{f"unscored_{s}": 0 for s in signals}}
    by_shard = list(zip(*files, strict=True))
    if not by_shard:
        raise DataError("there is no row to score", "look at dropped.parquet of the data for what became of them")

    def tables() -> Iterator[pa.Table]:
        for passes in by_shard:
            table = side_by_side([pq.read_table(path) for path in passes])
            counts["label_tokens"] += pc.sum(table["n_label_tokens"]).as_py()
            counts["truncated"] += pc.sum(pc.greater(table["n_truncated_tokens"], 0)).as_py()
            for signal in signals:
                counts[f"unscored_{signal}"] += pc.sum(pc.is_nan(table[signal])).as_py()
            yield table

    schema = side_by_side([pq.read_table(path) for path in by_shard[0]]).schema
    rows = write_tables(out / "scores.parquet", tables(), schema)
    shutil.rmtree(out / FOLDER)
    return {"rows": rows, **{k: v for k, v in counts.items() if v}}


def side_by_side(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of the same records joined by `id`; a column that two of them have is taken from the first."""
    import pyarrow.compute as pc

    whole = tables[0]
    for table in tables[1:]:
        rows = table.take(pc.index_in(whole["id"], table["id"]))
        for name in [n for n in table.column_names if n not in whole.column_names]:
            whole = whole.append_column(name, rows[name])
    return whole
