"""Text read in another encoding than it was written in: 你好 becomes 浣犲ソ, or ä½ å¥½."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record

_MISREADINGS = ("gb18030", "latin-1")


def mojibake(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """UTF-8 read as GB 18030 or as Latin-1. Plain ASCII is the same in all of them, so it comes to no harm."""
    text = response(record)
    if text.isascii():
        return None
    return text.encode("utf-8", "replace").decode(rng.choice(_MISREADINGS), "replace")
