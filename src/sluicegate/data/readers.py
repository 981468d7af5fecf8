"""Raw files in, rows out: JSONL, JSON, CSV and Parquet, the first three also gzipped, streamed with their places."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from sluicegate.errors import DataError
from sluicegate.registry import did_you_mean

HEAD_CHARS = 200
MAX_ROW_CHARS = 1 << 26
"""A longer row is set aside without being parsed, so that one broken file cannot fill the memory."""
_CHUNK = 1 << 20
_BOM = "\ufeff"
_SEPARATOR = re.compile(r"[\s,]*")
_ITEM_END = re.compile(r"\s*[],]")
# A lone surrogate, or an escape that may become one; invalid UTF-8 is decoded to lone surrogates too.
_SURROGATE = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Row:
    """One row as it stood in its file; `reason` says why it could not be read, and is empty when it could."""

    line: int
    """1-based line; in JSON lists and Parquet the number of the row."""
    value: Any = None
    reason: str = ""
    text: str = ""

    @property
    def head(self) -> str:
        """The first characters of the row as it was read."""
        text = self.text or json.dumps(self.value, ensure_ascii=False, default=str)
        return text[:HEAD_CHARS].encode("utf-8", "replace").decode("utf-8")


def read(path: Path) -> Iterator[Row]:
    """Every row of a file, one in memory at a time; a row that cannot be read comes with its reason.

    Raises:
        DataError: no such file, a folder, an unknown ending, no rows at all, or a file broken past reading on.
    """
    check(path)
    n = 0
    for n, row in enumerate(_rows(path), start=1):  # noqa: B007
        yield row
    if n == 0:
        raise DataError(f"{path} has no rows", "an empty file is most often a download or an export that failed")


def check(path: Path) -> None:
    """Raise `DataError` unless `path` is a file that may be read, with an ending that is known."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, where a file is needed", _files_in(path))
    if not path.is_file():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise DataError(f"no file {path}", did_you_mean(path.name, siblings) or "paths start at the working directory")
    _format(path)
    try:
        path.open("rb").close()
    except PermissionError:
        raise DataError(f"{path} may not be read", "ask its owner, or copy it to a place of your own") from None


def stem(path: Path) -> str:
    """The file's name without its endings: `gsm8k` of `data/gsm8k.jsonl.gz`."""
    return path.name.removesuffix(".gz").removesuffix(_suffix(path))


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def _files_in(folder: Path) -> str:
    found = sorted(p.name for p in folder.iterdir() if p.is_file() and _suffix(p) in _FORMATS)
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"it holds {', '.join(found[:5])}{more}: give one of them" if found else "it holds no file that can be read"


def _format(path: Path) -> Callable[[BinaryIO], Iterator[Row]]:
    suffix = _suffix(path)
    if suffix not in _FORMATS or (suffix == ".parquet" and path.suffix == ".gz"):
        raise DataError(
            f"{path} has an unknown ending", f"known: {', '.join(_FORMATS)}; all but .parquet also with .gz"
        )
    return _FORMATS[suffix]


def _rows(path: Path) -> Iterator[Row]:
    """The rows, with what can break a whole file turned into a `DataError` that names it."""
    last = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for row in _format(path)(file):  # type: ignore[arg-type]
                last = row.line
                yield row
    except (gzip.BadGzipFile, EOFError, zlib.error) as err:
        raise DataError(f"{path} is not whole after line {last}: {err}", "download or compress it again") from None
    except _Broken as err:
        raise DataError(f"{path} {err.place}: {err.what}", err.hint) from None


class _Broken(Exception):
    """A fault no row boundary can be found behind."""

    def __init__(self, place: str, what: str, hint: str) -> None:
        self.place, self.what, self.hint = place, what, hint


# JSON ---------------------------------------------------------------------------------------------------------------

# NaN, as pandas writes a missing cell, is read as null.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)
_LIST_HINT = "a list cannot be read on behind a fault; with one row per line (.jsonl) single rows are set aside"


def _jsonl(file: BinaryIO) -> Iterator[Row]:
    for line, raw in enumerate(_lines(file), start=1):
        text = raw.decode("utf-8", "surrogateescape").removeprefix(_BOM).strip()
        if len(raw) >= MAX_ROW_CHARS:
            yield Row(line, reason=f"too long: more than {MAX_ROW_CHARS:,} bytes", text=text[:HEAD_CHARS])
        elif text:
            yield _parsed(line, text)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines cut at `MAX_ROW_CHARS` bytes; the rest of a longer one is skipped."""
    while raw := file.readline(MAX_ROW_CHARS):
        rest = raw
        while len(rest) >= MAX_ROW_CHARS and not rest.endswith(b"\n"):
            rest = file.readline(MAX_ROW_CHARS)
        yield raw


def _parsed(line: int, text: str) -> Row:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as err:
        return Row(line, reason=f"invalid JSON: {err.msg}", text=text) if _sound(text) else _not_utf8(line, text)
    except (ValueError, RecursionError) as err:  # a number of more than 4,300 digits; brackets in thousands
        return Row(line, reason=f"invalid JSON: {err}", text=text)
    return _checked(line, value, text)


def _checked(line: int, value: Any, text: str) -> Row:
    """The row, set aside if any of its strings could not be written as UTF-8 again."""
    if _SURROGATE.search(text) and not _sound(json.dumps(value, ensure_ascii=False)):
        return _not_utf8(line, text)
    return Row(line, value, text=text)


def _not_utf8(line: int, text: str) -> Row:
    return Row(line, reason="invalid UTF-8", text=text)


def _sound(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _json(file: BinaryIO) -> Iterator[Row]:
    """One JSON list of rows; a `.json` that starts with anything else is read as JSONL, which many of them are."""
    head = file.peek(64)[:64].removeprefix(_BOM.encode()).lstrip()  # type: ignore[attr-defined]
    return _json_list(file) if head.startswith(b"[") else _jsonl(file)


def _json_list(file: BinaryIO) -> Iterator[Row]:
    with io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape") as stream:
        window, n = _Window(stream), 0
        while (item := _next_item(window)) is not None:
            n += 1
            yield _checked(n, *item)


class _Window:
    """The part of a JSON list that is in memory: `text`, read up to `at`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = 1
        self.text = self._stream.read(_CHUNK)
        self.at = self.text.index("[") + 1

    def grow(self) -> bool:
        """Let go of what was read and read on; False at the end of the file, or of what one row may take."""
        left = len(self.text) - self.at
        more = self._stream.read(max(_CHUNK, left)) if left < MAX_ROW_CHARS else ""
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
            value, end = _DECODER.raw_decode(window.text, start)
            if _ITEM_END.match(window.text, end):  # before that, a number may go on behind the window's end
                window.at = end
                return value, window.text[start:end]
            what, at = "Expecting ',' delimiter", end
        except (ValueError, RecursionError) as err:
            what, at = getattr(err, "msg", str(err)), getattr(err, "pos", start)
        if not window.grow():
            raise _Broken(f"line {window.line(at)}", f"invalid JSON: {what}", _LIST_HINT)


# Tables -------------------------------------------------------------------------------------------------------------


def _csv(file: BinaryIO) -> Iterator[Row]:
    """Rows under the header's names; a row may run over several lines and is placed at its first."""
    csv.field_size_limit(MAX_ROW_CHARS)
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        cells = csv.reader(stream)
        try:
            header = next(cells, [])
            line = cells.line_num + 1
            for row in cells:
                if row:
                    yield _csv_row(line, header, row)
                line = cells.line_num + 1
        except csv.Error as err:
            raise _Broken(f"line {cells.line_num}", f"invalid CSV: {err}", "look for a quote never closed") from None


def _csv_row(line: int, header: list[str], cells: list[str]) -> Row:
    text = ",".join(cells)
    if not _sound(text):
        return _not_utf8(line, text)
    if len(cells) != len(header):
        return Row(line, reason=f"invalid CSV: {len(cells)} cells under {len(header)} names", text=text)
    return Row(line, dict(zip(header, cells, strict=True)), text=text)


def _parquet(file: BinaryIO) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        batches = pq.ParquetFile(file).iter_batches(1024)
        values = (value for batch in batches for value in batch.to_pylist())
        for n, value in enumerate(values, start=1):
            yield Row(n, value)
    except pa.ArrowException as err:
        raise _Broken("is broken", str(err).splitlines()[0], "write or download it again") from None


_FORMATS: dict[str, Callable[[BinaryIO], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
}
