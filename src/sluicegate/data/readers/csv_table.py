"""CSV: rows under the names of its first line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, NamedTuple

from sluicegate.data.readers.chunk import CHUNK_ROWS, Broken, Chunk
from sluicegate.data.readers.json_lines import MAX_ROW_CHARS
from sluicegate.data.readers.row import Row
from sluicegate.data.readers.sound import not_utf8, sound


class _Body(NamedTuple):
    header: list[str]
    cells: list[tuple[int, list[str]]]
    """Each row with its line."""


def cut(file: BinaryIO) -> Iterator[Chunk]:
    """Some hundred rows at a time, their cells told apart."""
    csv.field_size_limit(MAX_ROW_CHARS)
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream)
        try:
            header = next(reader, [])
            rows = _placed(reader)
            while some := list(islice(rows, CHUNK_ROWS)):
                yield Chunk(parse, some[0][0], len(some), _Body(header, some))
        except csv.Error as err:
            raise Broken(f"line {reader.line_num}", f"invalid CSV: {err}", "look for a quote never closed") from None


def _placed(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """A row may run over several lines, and is placed at its first."""
    line = reader.line_num + 1  # type: ignore[attr-defined]
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1  # type: ignore[attr-defined]


def parse(first: int, body: _Body) -> Iterator[Row]:
    """The rows as mappings from name to text."""
    return (_row(line, body.header, cells) for line, cells in body.cells)


def _row(line: int, header: list[str], cells: list[str]) -> Row:
    text = ",".join(cells)
    if not sound(text):
        return not_utf8(line, text)
    if len(cells) != len(header):
        return Row(line, reason=f"invalid CSV: {len(cells)} cells under {len(header)} names", text=text)
    return Row(line, dict(zip(header, cells, strict=True)), text=text)
