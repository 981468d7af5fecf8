"""Rows encoded once, kept as Arrow and read from the disk as they are asked for.

A cache is a file `<key>.arrow` in a folder. Its key is a hash of everything that decides what is in it: the rows' ids,
which are hashes of their messages; the tokenizer, its special tokens and its chat template, all by content; the
length rows are cut at; and the code that encodes. So a stale cache has another name, and any may be deleted.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np

from sluicegate import runtime
from sluicegate.artifacts import file_hash
from sluicegate.models import encode
from sluicegate.models.encode import CHUNK_ROWS, DEFAULT_TEMPLATE, Counts, Encoded, Encoder
from sluicegate.schema import Record

if TYPE_CHECKING:
    import pyarrow as pa


class Spread(Protocol):
    """How the same work is done on item after item, by one process or by many, with the results in order."""

    def __call__(self, make: Callable[[], Callable[[Any], Any]], items: Iterable[Any]) -> Iterator[Any]:
        """`make()(item)` for every item; what `make` builds is built once in every process."""


class TokenCache:
    """Encoded rows in a folder, which all processes that see it share: one encodes, the others wait for it."""

    def __init__(self, folder: Path, spread: Spread) -> None:
        self.folder = folder
        self.spread = spread

    def rows(
        self, encoder: Encoder, ids: Sequence[str], records: Callable[[], Iterable[Record]], description: str
    ) -> EncodedRows:
        """The rows as `encoder` encodes them, made now or before.

        Args:
            ids: of the records, in order.
            records: reads them; called only where they are not in the cache.
            description: what to call them while they are encoded.

        Raises:
            DataError: a conversation the template refuses.
        """
        key = cache_key(encoder, ids)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{key}.arrow"
        with alone(self.folder / f".{key}.lock"):
            if not path.is_file():
                draft = self.folder / f".{key}.draft"
                self._encode(draft, encoder, records(), len(ids), description)
                os.replace(draft, path)
        return EncodedRows(path)

    def _encode(self, path: Path, encoder: Encoder, records: Iterable[Record], n_rows: int, description: str) -> None:
        import pyarrow as pa

        batches = self.spread(ToArrow(encoder), _chunks(records))
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, _schema()) as writer:
            for batch in runtime.track(batches, description, total=-(-n_rows // CHUNK_ROWS)):
                writer.write_batch(batch)


@dataclass(frozen=True)
class ToArrow:
    """Turns chunks of records into Arrow; other processes get a copy."""

    encoder: Encoder

    def __call__(self) -> Callable[[Sequence[Record]], pa.RecordBatch]:
        """What does it."""
        return lambda records: _to_arrow(self.encoder.encode_batch(records))


class EncodedRows(Sequence[Encoded]):
    """The rows of a cache, each read from the disk when it is asked for."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self.path = path
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self._chunks = [_Chunk(reader.get_batch(n)) for n in range(reader.num_record_batches)]
        self._places = range(sum(map(len, self._chunks)))

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, row: int) -> Encoded: ...
    @overload
    def __getitem__(self, row: slice) -> list[Encoded]: ...
    def __getitem__(self, row: int | slice) -> Encoded | list[Encoded]:
        """A row as it was encoded, or a list of some."""
        if isinstance(row, slice):
            return [self[place] for place in self._places[row]]
        chunk, place = divmod(self._places[row], CHUNK_ROWS)  # all chunks but the last have as many rows
        return self._chunks[chunk].read(place)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the file anew."""
        return type(self), (self.path,)

    @cached_property
    def counts(self) -> Counts:
        """Tokens of every row."""
        columns = zip(*(chunk.counts() for chunk in self._chunks), strict=True)
        ids, *numbers = columns if self._chunks else ([], [], [], [])
        return Counts([i for some in ids for i in some], *(np.concatenate([*some, []]).astype(int) for some in numbers))


def counts_of(rows: Sequence[Encoded]) -> Counts:
    """Tokens of rows in memory or on disk."""
    return rows.counts if isinstance(rows, EncodedRows) else Counts.of(rows)


class _Chunk:
    """Some rows as Arrow keeps them: all values of a column in one array, and where each row's begin."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.ids = batch.column("id")
        self.n_header, self.truncated = (batch.column(name).to_numpy() for name in ("n_header", "truncated"))
        (self.tokens, self.at), (self.spans, self.spans_at) = (
            (column.flatten().to_numpy(), column.offsets.to_numpy()) for column in map(batch.column, ("ids", "spans"))
        )

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, row: int) -> Encoded:
        """One row."""
        spans = self.spans[self.spans_at[row] : self.spans_at[row + 1]].tolist()
        return Encoded(
            id=self.ids[row].as_py(),
            ids=self.tokens[self.at[row] : self.at[row + 1]].tolist(),
            spans=list(zip(spans[::2], spans[1::2], strict=True)),
            n_header=int(self.n_header[row]),
            truncated=int(self.truncated[row]),
        )

    def counts(self) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
        """Ids, tokens, label tokens and tokens cut off of every row."""
        labels = np.concatenate([[0], (self.spans[1::2] - self.spans[::2]).cumsum()])  # up to each span
        return self.ids.to_pylist(), np.diff(self.at), np.diff(labels[self.spans_at // 2]), self.truncated


def cache_key(encoder: Encoder, ids: Iterable[str]) -> str:
    """20 hex digits over all that decides how rows are encoded, and over which rows they are."""
    import tokenizers
    import transformers

    tokenizer = encoder.tokenizer
    said: list[Any] = [
        tokenizer.backend_tokenizer.to_str(),
        tokenizer.special_tokens_map,
        tokenizer.chat_template or DEFAULT_TEMPLATE,
        encoder.max_length,
        file_hash(Path(encode.__file__)),
        [tokenizers.__version__, transformers.__version__],
    ]
    key = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode())
    for one in ids:
        key.update(f"\n{one}".encode())
    return key.hexdigest()[:20]


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    stream = iter(records)
    return iter(lambda: list(islice(stream, CHUNK_ROWS)), [])


def _schema() -> pa.Schema:
    import pyarrow as pa

    numbers = pa.list_(pa.int32())
    columns = {"id": pa.string(), "ids": numbers, "spans": numbers, "n_header": pa.int32(), "truncated": pa.int32()}
    return pa.schema(columns)


def _to_arrow(rows: Sequence[Encoded]) -> pa.RecordBatch:
    import pyarrow as pa

    columns = {
        "id": [row.id for row in rows],
        "ids": [row.ids for row in rows],
        "spans": [[place for span in row.spans for place in span] for row in rows],
        "n_header": [row.n_header for row in rows],
        "truncated": [row.truncated for row in rows],
    }
    return pa.RecordBatch.from_pydict(columns, schema=_schema())


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock that the kernel lets go of when its holder dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
