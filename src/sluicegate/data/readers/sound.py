"""Whether what was read can be written as UTF-8 again. Bytes that are no UTF-8 are read as lone surrogates."""

from __future__ import annotations

import json
from typing import Any

from sluicegate.data.readers.row import Row


def checked(line: int, value: Any, text: str) -> Row:
    r"""The row, set aside if any of its strings holds a lone surrogate, read as such or from an escape: \ud83d."""
    if not sound(text) or (("\\ud" in text or "\\uD" in text) and not sound(json.dumps(value, ensure_ascii=False))):
        return not_utf8(line, text)
    return Row(line, value, text=text)


def not_utf8(line: int, text: str) -> Row:
    """A row that is set aside for its bytes."""
    return Row(line, reason="invalid UTF-8", text=text)


def sound(text: str) -> bool:
    """Whether a text has no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
