"""JSON: one list of rows. What starts with anything else than `[` is read as JSONL, which many `.json` files are."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, TextIO

from sluicegate.data.readers import json_lines
from sluicegate.data.readers.chunk import CHUNK_ROWS, Broken, Chunk, parsed
from sluicegate.data.readers.json_lines import DECODER, MAX_ROW_CHARS
from sluicegate.data.readers.row import Row
from sluicegate.data.readers.sound import checked

WINDOW_CHARS = 1 << 20
_BOM = b"\xef\xbb\xbf"
_SEPARATOR = re.compile(r"[\s,]*")
_ITEM_END = re.compile(r"\s*[],]")
_HINT = "a list cannot be read on behind a fault; with one row per line (.jsonl) single rows are set aside"


def cut(file: BinaryIO) -> Iterator[Chunk]:
    """Rows that are parsed already, for that is what tells where they end."""
    head = file.peek(64)[:64].removeprefix(_BOM).lstrip()  # type: ignore[attr-defined]
    if not head.startswith(b"["):
        yield from json_lines.cut(file)
        return
    rows, first = _rows(file), 1
    while some := tuple(islice(rows, CHUNK_ROWS)):
        yield Chunk(parsed, first, len(some), some)
        first += len(some)


def _rows(file: BinaryIO) -> Iterator[Row]:
    with io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape") as stream:
        window, n = _Window(stream), 0
        while (item := _next_item(window)) is not None:
            n += 1
            yield checked(n, *item)


class _Window:
    """The part of a JSON list that is in memory: `text`, read up to `at`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = 1
        self.text = self._stream.read(WINDOW_CHARS)
        self.at = self.text.index("[") + 1

    def grow(self) -> bool:
        """Let go of what was read and read on; False at the end of the file, or of what one row may take."""
        left = len(self.text) - self.at
        more = self._stream.read(max(WINDOW_CHARS, left)) if left < MAX_ROW_CHARS else ""
        if more:
            self._lines += self.text.count("\n", 0, self.at)
            self.text, self.at = self.text[self.at :] + more, 0
        return bool(more)

    def line(self, at: int) -> int:
        """1-based line of the file that position `at` of `text` is on."""
        return self._lines + self.text.count("\n", 0, at)


def _next_item(window: _Window) -> tuple[Any, str] | None:
    """The next item of the list and its text; None behind the last."""
    while True:
        window.at = start = _SEPARATOR.match(window.text, window.at).end()  # type: ignore[union-attr]
        if window.text.startswith("]", start):
            return None
        try:
            value, end = DECODER.raw_decode(window.text, start)
            if _ITEM_END.match(window.text, end):  # before that, a number may go on behind the window's end
                window.at = end
                return value, window.text[start:end]
            what, at = "Expecting ',' delimiter", end
        except (ValueError, RecursionError) as err:
            what, at = getattr(err, "msg", str(err)), getattr(err, "pos", start)
        if not window.grow():
            raise Broken(f"line {window.line(at)}", f"invalid JSON: {what}", _HINT)
