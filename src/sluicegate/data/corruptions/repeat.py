"""A response that gets stuck."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record

# A clause ends at a Chinese mark, at a Latin one before a space (not inside 3.50) or at the end of a line.
_CLAUSE = re.compile(r".+?(?:[。！？；，]+|[.!?;,]+(?=\s|$)|$)\s*", re.MULTILINE)


def repeat(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One clause said again, once to three times."""
    text = response(record)
    clauses = [m for m in _CLAUSE.finditer(text) if m.group().strip()]
    if not clauses:
        return None
    chosen = rng.choice(clauses)
    again = chosen.group() if chosen.group()[-1].isspace() or not chosen.group().isascii() else f" {chosen.group()}"
    return text[: chosen.end()] + again * rng.randint(1, 3) + text[chosen.end() :]
