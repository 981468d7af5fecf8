from __future__ import annotations

import re

import pytest

from fake_runs import HOSTILE
from paired_sides import METHODS, side
from sluicegate.reporting import page
from sluicegate.reporting.pairwise import Comparison, compare
from sluicegate.reporting.summary import Summary


def section(summary: Summary, found: Comparison | None) -> str:
    """The page from this heading on, without the scripts."""
    return page.render(summary, found).partition("<h2>Question by question</h2>")[2].partition("</main>")[0]


@pytest.fixture(scope="module")
def html(summary: Summary, comparison: Comparison) -> str:
    return section(summary, comparison)


def test_all_is_told(html: str, comparison: Comparison) -> None:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
    assert "Compared on the 3 questions that all arms were asked (base 4, tuned 4, twice 3)." in text
    assert "tuned − base 4 +0.0 " in text
    assert " 1 1 1 1 1.000 " in text
    assert "Accuracy by level level questions base tuned twice 0 2 50.0 % 100.0 % 75.0 %" in text
    assert "Accuracy by source" not in text
    assert "tuned right, base wrong: 1 question" in text
    assert "gold: 4 question q2? tuned, right #### 4 base, wrong #### 5" in text
    assert html.count("<details>") == 4


def test_a_report_without_replies_has_no_such_section(summary: Summary) -> None:
    assert section(summary, None) == ""


def test_text_from_the_data_makes_no_markup(summary: Summary) -> None:
    def tags(said: str) -> list[str]:
        told = {"source": said, "type": said, "gold": said, "prompt": said}
        sides = [side("base", "10", said=said, **told), side(said, "01", said=said, **told)]
        return re.findall(r"<\w+", section(summary, compare(sides, "base", 5, METHODS)))

    assert tags(HOSTILE) == tags("peace")


def test_without_a_question_for_all_only_pairs_are_told(summary: Summary) -> None:
    found = compare([side("a", "11--"), side("b", "--01"), side("c", "0110")], "c", 0, METHODS)
    html = section(summary, found)
    assert "No question was put to all arms" in html
    assert "reply tokens" not in html
    assert html.count("<small>− c</small>") == 2
