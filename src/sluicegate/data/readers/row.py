"""A raw row, and the place where it stood."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

HEAD_CHARS = 200
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


class Row(NamedTuple):
    """One row as it stood in its file; `reason` says why it could not be read, and is empty when it could."""

    line: int
    """1-based line; in JSON lists and tables the number of the row."""
    value: Any = None
    reason: str = ""
    text: str = ""

    @property
    def head(self) -> str:
        """The first characters of the row as it was read."""
        return (self.text or _beginning(self.value))[:HEAD_CHARS].encode("utf-8", "replace").decode("utf-8")

    def brief(self) -> Row:
        """The row without its value, and only the head of its text: what a candidate takes to another process."""
        return Row(self.line, None, self.reason, self.head)


def _beginning(value: Any) -> str:
    """The value as JSON, written no further than the head needs."""
    text = ""
    for part in _ENCODER.iterencode(value):
        text += part
        if len(text) >= HEAD_CHARS:
            break
    return text
