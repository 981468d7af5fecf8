"""Parquet: rows in the order of the file, decoded some hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sluicegate.data.readers import arrow
from sluicegate.data.readers.chunk import CHUNK_ROWS, Chunk


def cut(file: BinaryIO) -> Iterator[Chunk]:
    """Batches of rows."""
    import pyarrow.parquet as pq

    with arrow.whole():
        yield from arrow.chunks(pq.ParquetFile(file).iter_batches(CHUNK_ROWS))
