"""Raw files for the tests of everything that reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sluicegate.data.readers import read

SHARED = Path(__file__).parents[2] / "shared" / "data"
"""Real files, which may not be here."""

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ON_DISK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path: Path, content: str | bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    """A file with a line of JSON per row."""
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def values(path: Path) -> list[Any]:
    """What the rows of a file hold."""
    return [row.value for row in read(path)]
