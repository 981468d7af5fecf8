from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from fake_runs import HOSTILE
from paired_sides import METHODS, side
from sluicegate.reporting.pairwise import Comparison, compare, markdown

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shapes(text: str) -> list[str]:
    return [token.type for token in READER.parse(text)]


def test_all_is_told(comparison: Comparison) -> None:
    text = markdown("Sums", comparison)
    assert text.startswith("# Sums\n\nCompared on the 3 questions that all arms were asked (base 4, tuned 4, twice 3).")
    assert re.search(r"\| tuned \| base \| 4 \| \+0\.0 \| \[.*\] \| 1 \| 1 \| 1 \| 1 \| 1\.000 \|", text)
    assert "| twice | base | 3 |" in text
    assert "| level | questions | base | tuned | twice |" in text
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads[:3] == ["## Arms", "## Question by question", "## Accuracy by level"]
    assert "## tuned right, base wrong: 1 question" in heads
    assert "## base more often right, twice less: 1 question" in heads


def test_every_row_of_a_table_has_its_cells(comparison: Comparison) -> None:
    found = shapes(markdown("Sums", comparison))
    assert found.count("th_open") == 13 + 10 + 5
    assert found.count("td_open") == 3 * 13 + 2 * 10 + 2 * 5


@pytest.mark.parametrize("text", [HOSTILE, "```\n# head\n````"])
def test_text_from_the_data_makes_no_markup(text: str) -> None:
    def report(said: str) -> str:
        told = {"source": said, "type": said, "gold": said, "prompt": said}
        sides = [side("base", "10", said=said, **told), side(said, "01", said=said, **told)]
        return markdown(said, compare(sides, "base", 5, METHODS))

    assert shapes(report(text)) == shapes(report("peace"))
    assert "html_block" not in shapes(report(text))
