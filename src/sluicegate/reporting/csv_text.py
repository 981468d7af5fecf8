"""Numbers as CSV: one value in a cell and all its digits; an unknown value is an empty cell."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any


def csv_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """A header and a row per line; the columns in the order in which they are first seen."""
    text = StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for line in lines for key in line)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
