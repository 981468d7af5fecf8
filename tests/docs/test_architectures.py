"""The committed table has a row for every architecture, a column for every promise, and no failure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from sluicegate.testing import Family

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architectures.md").read_text(encoding="utf-8")
TESTS = (ROOT / "tests" / "contract" / "test_architectures.py").read_text(encoding="utf-8")
STALE = "docs/architectures.md is stale: run `python benchmarks/architectures.py`"


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def promises() -> dict[str, str]:
    found = re.findall(r'@every_architecture\ndef test_(\w+)\(.*\n    """(.*)"""', TESTS)
    return {name.replace("_", " "): text for name, text in found}


def test_every_architecture_has_a_row_and_every_promise_a_column() -> None:
    head, _, *body = rows()
    assert head == ["architecture", *promises()], STALE
    assert [row[0] for row in body] == [f"`{family}`" for family in get_args(Family)], STALE
    assert all(len(row) == len(head) and all(row) for row in body)


def test_the_page_says_what_each_promise_means() -> None:
    assert all(f"- **{name}**: {text}" in PAGE for name, text in promises().items()), STALE


def test_no_promise_is_broken() -> None:
    assert "**no**" not in PAGE
