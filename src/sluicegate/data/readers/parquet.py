"""Parquet: rows in the order of the file, decoded some hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sluicegate.data.readers import arrow
from sluicegate.data.readers.chunk import CHUNK_ROWS, Chunk

BUFFER_BYTES = 1 << 20
"""Read at once of a column."""


def cut(file: BinaryIO) -> Iterator[Chunk]:
    """Batches of rows."""
    import pyarrow.parquet as pq

    with arrow.whole():
        # Read ahead, as it is by default, the whole file would be in memory before its first row is.
        table = pq.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER_BYTES)
        yield from arrow.chunks(table.iter_batches(CHUNK_ROWS))
