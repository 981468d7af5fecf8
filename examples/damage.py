"""Damage part of a file you believe in, to see what a selection finds: damage.py ROWS POOL.jsonl TRUSTED.jsonl

The first 300 rows become the trusted ones; 60 % of the others get one corruption each, named in `meta`.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from sluicegate.data.corrupt import make_corruptions
from sluicegate.data.intake import from_file
from sluicegate.schema import Record

TRUSTED, SHARE, MAX_CHARS = 300, 0.6, 100_000


def damage(rows: Path, pool: Path, trusted: Path, seed: int = 0) -> None:
    """Write both files in the shape `messages`."""
    records = [c.record for c in from_file(rows, rows.stem, "auto", MAX_CHARS) if c.record]
    random.Random(seed).shuffle(records)
    believed, others = records[:TRUSTED], records[TRUSTED:]
    n_bad = int(SHARE * len(others))
    damaged = make_corruptions(others[:n_bad], 1, seed)
    mixed = [*damaged, *((record, "clean") for record in others[n_bad:])]
    random.Random(seed).shuffle(mixed)
    write(trusted, [(record, "clean") for record in believed])
    write(pool, mixed)


def write(path: Path, rows: list[tuple[Record, str]]) -> None:
    """One line per row, with its final answer and its fault."""
    lines = ({"messages": r["messages"], "answer": r["answer"], "meta": {"fault": fault}} for r, fault in rows)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    damage(*map(Path, sys.argv[1:4]))
