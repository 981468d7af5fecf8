"""A stretch of a file, cut where rows end and not parsed yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sluicegate.data.readers.row import Row

CHUNK_BYTES = 1 << 19
CHUNK_ROWS = 256
"""Rows of a table, and of whatever else is cut by the row."""


class Chunk(NamedTuple):
    """Light to cut and to send to another process, which parses it."""

    parse: Callable[[int, Any], Iterable[Row]]
    first: int
    """Place of its first row."""
    n_rows: int
    """How many rows it has, blank lines counted."""
    body: Any

    def rows(self) -> Iterator[Row]:
        """Its rows; one that cannot be parsed comes with its reason."""
        return iter(self.parse(self.first, self.body))


def parsed(first: int, rows: Iterable[Row]) -> Iterable[Row]:
    """The `parse` of a format whose rows could not be told apart without parsing them."""
    return rows


class Broken(Exception):
    """A fault no row boundary can be found behind."""

    def __init__(self, place: str, what: str, hint: str) -> None:
        self.place, self.what, self.hint = place, what, hint
