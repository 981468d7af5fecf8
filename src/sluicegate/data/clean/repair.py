"""Text read in a wrong encoding, read anew where only one reading makes sense."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sluicegate.data.clean.base import Cleaner
from sluicegate.data.readers import Row
from sluicegate.data.readers.json_lines import DECODER
from sluicegate.schema import Message

INVALID = "invalid UTF-8"
"""The reader's reason for a row whose bytes are no UTF-8."""
LOST = re.compile("\ufffd|锟斤拷|烫烫烫")
"""What is left of characters that nothing brings back."""
MIN_HAN = 6
"""Chinese text that happens to be readable as UTF-8 in another encoding is shorter than this."""

_HIGH = re.compile(rb"[\x80-\xff]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u2010-\u2026\u00b7]+")
_HAN = re.compile("[\u4e00-\u9fff]")
_LATIN = re.compile("[\u00a0-\u024f\u2010-\u203a\u20ac\u2122]")


class Repair(Cleaner):
    """Bytes that are GB18030 or Windows-1252 and no UTF-8; UTF-8 that was taken for either. The rest is set aside."""

    name = "repair"
    order = 10

    def row(self, row: Row) -> Row:
        """The row with every text in it mended."""
        if row.reason == INVALID:
            return self._reread(row)
        return row._replace(value=self._mended(row.value)) if row.value is not None else row

    def reason(self, turns: Sequence[Message], lang: str) -> str:
        """The first sign of characters that are lost."""
        lost = next(filter(None, (LOST.search(turn["content"]) for turn in turns)), None)
        return f"lost characters: {lost[0]}" if lost else ""

    def _reread(self, row: Row) -> Row:
        """A line of JSON, decoded anew from its bytes; of a table the text is no JSON and stays as it is."""
        text = decoded(row.text.encode("utf-8", "surrogateescape")) if _is_escaped(row.text) else None
        try:
            value = DECODER.decode(text) if text else None
        except ValueError:
            value = None
        if value is None:
            return row
        self.counts["rows decoded anew"] += 1
        return Row(row.line, value, text=text or "")

    def _mended(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._mended(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._mended(inner) for inner in value]
        if not isinstance(value, str) or value.isascii():
            return value
        text = unmixed(value)
        self.counts["texts decoded anew"] += text != value
        return text


def decoded(raw: bytes) -> str | None:
    """Bytes that are no UTF-8 as text; None where both encodings make sense, or neither.

    GB18030 has its high bytes in pairs that are Chinese characters. Windows-1252 has them alone, in a word.
    """
    runs = _HIGH.findall(raw)
    chinese, western = _decode(raw, "gb18030"), _decode(raw, "cp1252")
    if chinese and all(len(run) % 2 == 0 for run in runs) and _is_chinese(chinese):
        return chinese
    if western and all(len(run) == 1 for run in runs) and all(map(_LATIN.match, _NOT_ASCII.findall(western))):
        return western
    return None


def unmixed(text: str) -> str:
    """The text, or what it was before its UTF-8 was read as Windows-1252, Latin-1 or GB18030."""
    if all(ord(c) < 0x100 or _LATIN.match(c) or c in "ƒˆ˜ŒœŠšŽžŸ" for c in text):
        return _read_as_utf8(text, _western_bytes) or text
    if len(_HAN.findall(text)) >= MIN_HAN:
        return _read_as_utf8(text, lambda t: t.encode("gb18030")) or text
    return text


def _read_as_utf8(text: str, encode: Callable[[str], bytes]) -> str | None:
    try:
        found = encode(text).decode("utf-8")
    except UnicodeError:
        return None
    return found if len(found) < len(text) else None


def _western_bytes(text: str) -> bytes:
    """Windows-1252, and for the five bytes it has no character for Latin-1."""
    return b"".join(c.encode("latin-1") if "\x80" <= c <= "\x9f" else c.encode("cp1252") for c in text)


def _decode(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_chinese(text: str) -> bool:
    """Whether all that is not ASCII is Chinese, two characters at least."""
    return len(_HAN.findall(text)) > 1 and all(map(_CHINESE.match, _NOT_ASCII.findall(text)))


def _is_escaped(text: str) -> bool:
    """Whether the lone surrogates in a text all stand for bytes, and none was written as an escape."""
    return not re.search("[\ud800-\udc7f\udd00-\udfff]", text)
