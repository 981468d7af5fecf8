from __future__ import annotations

from pathlib import Path

from sluicegate.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "config.md"


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference() + "\n", "docs/config.md is stale: run `make docs`"
