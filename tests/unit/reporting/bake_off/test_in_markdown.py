from __future__ import annotations

from typing import Any

import pytest
from markdown_it import MarkdownIt

from fake_bake_off import bake_off, renamed
from fake_runs import HOSTILE
from sluicegate.reporting.bake_off import markdown

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shapes(text: str) -> list[str]:
    """What a Markdown reader sees, without the words."""
    return [child.type for token in READER.parse(text) for child in [token, *(token.children or [])]]


def lines(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def test_advice_then_signals_then_arms_then_what_it_means() -> None:
    text = markdown(bake_off())
    assert text.startswith("# Which rows are worth training on?\n\n**At 20 % of rows gate with clusters")
    assert lines(text, "## ") == ["## Signals", "## Arms", "## What the columns mean", "## What this does not show"]
    assert lines(text, "### ") == ["### AUROC, fault by fault", "### 20 % of rows", "### 20 % of label tokens"]
    assert "2,000 rows with 123,456 label tokens, of them 800 clean, 171 mismatch" in text
    assert "- 731 × no equation in the response: arithmetic" in text


def test_better_arms_are_bold_and_controls_stand_last_in_italics() -> None:
    table = markdown(bake_off()).split("### 20 % of rows")[1].split("###")[0]
    rows = lines(table, "|")[2:]
    assert rows[0].startswith(
        "| **gate, clusters** | 61.5 % [58.6, 64.6] | +13.4 [+10.0, +16.8] | among the best | 2.41 |"
    )
    assert any(row.startswith("| rds, plain |") for row in rows)
    assert [row.split(" | ")[0] for row in rows[-4:]] == [
        "| _random, with trusted rows_", "| _all rows_", "| _random_", "| _trusted rows alone_",
    ]  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"metric": "loss"}, {"arms": False}, {"faults": False}, {"seeds": 1}])
def test_every_row_has_as_many_cells_as_its_table_has_heads(given: dict[str, Any]) -> None:
    text = markdown(bake_off(**given))
    for table in filter(None, text.split("\n\n")):
        if table.startswith("| "):
            assert len({line.count(" |") for line in table.splitlines()[2:]} | {table.splitlines()[0].count(" |")}) == 1
    assert "None" not in text
    assert "nan" not in text.split("## What the columns mean")[0]


def test_without_arms_and_faults_little_is_left() -> None:
    text = markdown(bake_off(arms=False, faults=False))
    assert lines(text, "#") == [
        "# Which rows are worth training on?", "## Signals", "## What the columns mean", "## What this does not show",
    ]  # fmt: skip
    assert "AUROC" not in text.split("## What the columns mean")[0]


def test_text_from_the_data_makes_no_markup() -> None:
    named = ("gate", "clusters", "title", "advice", "20 % of rows")
    hostile = markdown(renamed(bake_off(), dict.fromkeys(named, HOSTILE)))
    assert shapes(hostile) == shapes(markdown(renamed(bake_off(), dict.fromkeys(named, "peace"))))
    assert "html_block" not in shapes(hostile)


def test_the_same_summary_gives_the_same_text() -> None:
    assert markdown(bake_off()) == markdown(bake_off())
