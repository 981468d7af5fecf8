"""Rows that belong together, brought together while they are read, such as the messages of a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from sluicegate.data.intake import group_of
from sluicegate.data.readers import Chunk, Row
from sluicegate.data.readers.chunk import CHUNK_ROWS, parsed


def gather(chunks: Callable[[], Iterable[Chunk]], column: str) -> Iterator[Chunk]:
    """The same rows in chunks of whole groups, those with an equal value in `column`.

    The rows are read twice: once to count the groups, and once to let each go as soon as it is whole. So where the
    rows of a group stand together, as published sets have them, one group is in memory at a time.
    """
    left = Counter(group_of(row, column) for chunk in chunks() for row in chunk.rows())
    waiting: dict[object, list[Row]] = {}
    whole: list[Row] = []
    for row in chain.from_iterable(chunk.rows() for chunk in chunks()):
        group = group_of(row, column)
        waiting.setdefault(group, []).append(row)
        left[group] -= 1
        if not left[group]:
            whole += waiting.pop(group)
        if len(whole) >= CHUNK_ROWS:
            yield _chunk(whole)
            whole = []
    if whole:
        yield _chunk(whole)


def _chunk(rows: list[Row]) -> Chunk:
    return Chunk(parsed, rows[0].line, len(rows), tuple(rows))
