"""Arrow: IPC files, and the IPC streams that the cache of `datasets` is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from sluicegate.data.readers.chunk import CHUNK_ROWS, Broken, Chunk
from sluicegate.data.readers.row import Row

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC = b"ARROW1"
"""What an IPC file starts with, and a stream does not."""


def cut(file: BinaryIO) -> Iterator[Chunk]:
    """Batches of rows, the large ones in parts."""
    with whole():
        yield from chunks(_batches(file))


def _batches(file: BinaryIO) -> Iterator[pa.RecordBatch]:
    from pyarrow import ipc

    head = file.read(len(_MAGIC))
    file.seek(0)
    if head == _MAGIC:
        reader = ipc.open_file(file)
        return (reader.get_batch(n) for n in range(reader.num_record_batches))
    return iter(ipc.open_stream(file))


def chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[Chunk]:
    """A chunk for every few hundred rows of some batches; its body is an IPC stream of its own."""
    first = 1
    for batch in batches:
        for at in range(0, batch.num_rows, CHUNK_ROWS):
            part = batch.slice(at, CHUNK_ROWS)
            yield Chunk(parse, first, part.num_rows, _to_bytes(part))
            first += part.num_rows


def _to_bytes(batch: pa.RecordBatch) -> bytes:
    """Only the rows of a slice: pickled, it would take along the whole batch it was cut from."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def parse(first: int, body: bytes) -> Iterator[Row]:
    """The rows as mappings from column to value."""
    import pyarrow as pa

    values = (value for batch in pa.ipc.open_stream(body) for value in batch.to_pylist())
    return (Row(n, value) for n, value in enumerate(values, start=first))


@contextmanager
def whole() -> Iterator[None]:
    """Tell of a file that is no table, or not a whole one, in the terms of the readers."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as err:
        raise Broken("is broken", str(err).splitlines()[0], "write or download it again") from None
