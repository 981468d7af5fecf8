"""Shards: rows that are scored and saved together, one file per pass and shard, whole or not there."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sluicegate.models.meter import Spent
from sluicegate.schema import Record
from sluicegate.scoring.base import HIDDEN

FOLDER = "shards"
FREE = Spent()
SEEN = [name for name in Record.__annotations__ if name != HIDDEN]


@dataclass(frozen=True)
class Shards:
    """A table of messages cut into shards; where each begins hangs on nothing but their size."""

    table: Path
    size: int
    """Rows of each but the last."""

    @cached_property
    def ends(self) -> np.ndarray:
        """Where each row group of the table ends, in rows."""
        import pyarrow.parquet as pq

        groups = pq.read_metadata(self.table)
        return np.cumsum([groups.row_group(g).num_rows for g in range(groups.num_row_groups)], dtype=np.int64)

    @property
    def rows(self) -> int:
        """Of the whole table."""
        return int(self.ends[-1]) if len(self.ends) else 0

    def __len__(self) -> int:
        return -(-self.rows // self.size)

    def span(self, number: int) -> tuple[int, int]:
        """The first row of a shard, and how many it has."""
        first = number * self.size
        return first, min(self.size, self.rows - first)

    def read(self, number: int) -> list[Record]:
        """A shard's records, of which only the row groups it stands in are read."""
        import pyarrow.parquet as pq

        first, n_rows = self.span(number)
        begin, last = (int(np.searchsorted(self.ends, row, side="right")) for row in (first, first + n_rows - 1))
        before = int(self.ends[begin - 1]) if begin else 0
        with pq.ParquetFile(self.table) as file:
            table = file.read_row_groups(list(range(begin, last + 1)), columns=SEEN)
        return table.slice(first - before, n_rows).to_pylist()


def shard_path(out: Path, step: str, span: tuple[int, int]) -> Path:
    """Names its rows, so that a shard of another size is never taken for it."""
    return out / FOLDER / f"{step}-{span[0]:012d}-{span[1]}.parquet"


def write_shard(path: Path, columns: Mapping[str, Any], spent: Spent = FREE, before: Spent = FREE) -> None:
    """Columns of one shard, renamed into place once they are whole; two who write the same do not meet.

    Args:
        spent: what the shard cost.
        before: what whoever wrote it had to learn before the first of its shards.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(f".{uuid.uuid4().hex}.draft")
    cost = {"spent": json.dumps(asdict(spent)), "before": json.dumps(asdict(before))}
    pq.write_table(pa.table(dict(columns), metadata=cost), draft)
    os.replace(draft, path)


def shard_cost(path: Path) -> tuple[Spent, Spent]:
    """What a shard cost, and what its writer had to learn before."""
    import pyarrow.parquet as pq

    told = pq.read_schema(path).metadata
    spent, before = (Spent(**json.loads(told[key])) for key in (b"spent", b"before"))
    return spent, before
