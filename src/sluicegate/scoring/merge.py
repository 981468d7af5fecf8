"""From the files of all passes and shards to one table, a shard in memory at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sluicegate.artifacts import write_tables
from sluicegate.errors import DataError
from sluicegate.scoring.passes import MINUS
from sluicegate.scoring.shards import FOLDER

if TYPE_CHECKING:
    import pyarrow as pa

SCORES = "scores.parquet"
HEAD = "scores.head.jsonl"
BATCH_ROWS = 4096
OF_THE_ROW = {"id", "source", "lang", "n_prompt_tokens", "n_label_tokens", "n_truncated_tokens", "prompt_state"}
"""Columns that every pass has."""


def merge(out: Path, shards: Iterable[Sequence[Path]]) -> None:
    """Write `scores.parquet` from shards in order; it is there once it is whole.

    Args:
        shards: for each shard the files of every pass.

    Raises:
        DataError: there was not one row.
    """
    tables: Iterator[pa.Table] = map(_read, shards)
    if (first := next(tables, None)) is None:
        raise DataError("there is no row to score", "look at dropped.parquet of the data for what became of them")
    write_tables(out / FOLDER / SCORES, chain([first], tables), first.schema)
    for name in (HEAD, SCORES):
        os.replace(out / FOLDER / name, out / name)


def clear(out: Path) -> None:
    """Take away what the table was put together from."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)


def count(table: Path, signals: Iterable[str]) -> dict[str, int]:
    """Rows of a table of scores, their response tokens, rows cut and rows without a score; nothing that is 0."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counts = {"rows": 0, "label_tokens": 0, "truncated": 0, **{f"unscored_{s}": 0 for s in signals}}
    with pq.ParquetFile(table) as file:
        columns = ["n_label_tokens", "n_truncated_tokens", *signals]
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            counts["rows"] += len(batch)
            counts["label_tokens"] += pc.sum(batch["n_label_tokens"]).as_py()
            counts["truncated"] += pc.sum(pc.greater(batch["n_truncated_tokens"], 0)).as_py()
            for signal in signals:
                counts[f"unscored_{signal}"] += pc.sum(pc.is_nan(batch[signal])).as_py()
    return {k: v for k, v in counts.items() if v}


def side_by_side(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of the same records joined by `id`; what all of them say of a row is taken from the first.

    Beside that only the members of a cross-fitted gate make a column more than once: it becomes the mean of theirs.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = [table.take(pc.index_in(tables[0]["id"], table["id"])) for table in tables[1:]]
    columns: dict[str, list[pa.Array]] = {}
    for table in [tables[0], *rows]:
        for name in table.column_names:
            columns.setdefault(name, []).append(table[name].combine_chunks())
    return pa.table({name: _one(name, found) for name, found in columns.items()})


def _one(name: str, found: list[pa.Array]) -> pa.Array:
    """One column for several of a name; a row for which a member has no number has the first reason given."""
    if len(found) == 1 or name in OF_THE_ROW:
        return found[0]
    if name.endswith("_why"):
        return reduce(_reason, found)
    return mean_of(found)


def subtract(table: pa.Table) -> pa.Table:
    """Take every column whose name begins with `MINUS` away from the one it is named after; reasons are joined."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = dict(zip(table.column_names, table.columns, strict=True))
    for name in [name for name in columns if name.startswith(MINUS)]:
        whole, less = columns[name.removeprefix(MINUS)], columns.pop(name)
        text = pa.types.is_string(whole.type)
        columns[name.removeprefix(MINUS)] = _reason(whole, less) if text else pc.subtract(whole, less)
    return pa.table(columns)


def _reason(why: pa.Array, other: pa.Array) -> pa.Array:
    """The first, or the other where the first is empty."""
    import pyarrow.compute as pc

    return pc.if_else(pc.equal(why, ""), other, why)


def mean_of(columns: Sequence[pa.Array]) -> pa.Array:
    """The mean of columns of numbers, or of lists of the same lengths, in the type they have."""
    import pyarrow as pa

    if pa.types.is_list(columns[0].type):
        return pa.ListArray.from_arrays(columns[0].offsets, mean_of([column.values for column in columns]))
    values = np.mean([column.to_numpy(zero_copy_only=False) for column in columns], axis=0, dtype=np.float64)
    return pa.array(values, columns[0].type)


def _read(passes: Sequence[Path]) -> pa.Table:
    import pyarrow.parquet as pq

    return subtract(side_by_side([pq.read_table(path) for path in passes]))
