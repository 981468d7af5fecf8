"""JSONL: one row per line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from sluicegate.data.readers import chunk
from sluicegate.data.readers.chunk import Chunk
from sluicegate.data.readers.row import HEAD_CHARS, Row
from sluicegate.data.readers.sound import checked, not_utf8, sound

MAX_ROW_CHARS = 1 << 26
"""A longer row is set aside without being parsed, so that one broken file cannot fill the memory."""
_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(rb"(\s|\xef\xbb\xbf)*")

# NaN, as pandas writes a missing cell, is read as null.
DECODER = json.JSONDecoder(parse_constant=lambda _: None)


def cut(file: BinaryIO) -> Iterator[Chunk]:
    """Some hundred kilobytes at a time, cut behind the last newline; of a line past the limit only its beginning."""
    line, left = 1, b""
    while block := file.read(chunk.CHUNK_BYTES):
        block = left + block
        end = block.rfind(b"\n") + 1
        left = block[end:]
        if end:
            yield from _chunk(line, block[:end])
            line += block.count(b"\n", 0, end)
        elif len(left) > MAX_ROW_CHARS:
            yield from _chunk(line, left[: MAX_ROW_CHARS + 1])
            line, left = line + 1, _behind_newline(file)
    yield from _chunk(line, left)


def _chunk(line: int, body: bytes) -> Iterator[Chunk]:
    """Nothing where only blank lines are left, so that an empty file has no chunk."""
    if not _BLANK.fullmatch(body):
        yield Chunk(parse, line, body.count(b"\n") + (not body.endswith(b"\n")), body)


def _behind_newline(file: BinaryIO) -> bytes:
    """Read to the end of a line and give back what was read behind it."""
    while block := file.read(chunk.CHUNK_BYTES):
        if (end := block.find(b"\n")) >= 0:
            return block[end + 1 :]
    return b""


def parse(first: int, body: bytes) -> Iterator[Row]:
    """The rows of the lines, from line number `first` on."""
    for line, raw in enumerate(body.split(b"\n"), first):
        if len(raw) >= MAX_ROW_CHARS:
            text = raw[: 4 * HEAD_CHARS].decode("utf-8", "replace")[:HEAD_CHARS]
            yield Row(line, reason=f"too long: more than {MAX_ROW_CHARS:,} bytes", text=text)
        elif raw := raw.strip().removeprefix(_BOM):
            yield _row(line, raw.decode("utf-8", "surrogateescape"))


def _row(line: int, text: str) -> Row:
    try:
        value, end = DECODER.raw_decode(text)
        if end < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except json.JSONDecodeError as err:
        return Row(line, reason=f"invalid JSON: {err.msg}", text=text) if sound(text) else not_utf8(line, text)
    except (ValueError, RecursionError) as err:  # a number of more than 4,300 digits; brackets in thousands
        return Row(line, reason=f"invalid JSON: {err}", text=text)
    return checked(line, value, text)
