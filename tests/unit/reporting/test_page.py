from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fake_runs import HOSTILE, FakeRuns
from sluicegate.evaluation import stats
from sluicegate.reporting import page
from sluicegate.reporting.charts import charts
from sluicegate.reporting.numbers import INTERVALS, accuracy, count, loss
from sluicegate.reporting.summary import Summary, summarize


class Outline(HTMLParser):
    """The tags of a page with their attributes, and its text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.specs: dict[str, Any] = {}
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and self.tags[-1][1].get("id") == "specs":
            self.specs = json.loads(data)
        self.text += "" if self._inside else data


@pytest.fixture(scope="module")
def html(summary: Summary) -> str:
    return page.render(summary)


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    return Outline(html)


def test_all_is_told(summary: Summary, outline: Outline) -> None:
    text = re.sub(r"\s+", " ", outline.text)
    assert summary["headline"] in text
    assert INTERVALS in text
    for arm in summary["arms"]:
        assert accuracy(arm) in text
        assert count(arm["label_tokens"]) in text
    assert Counter(tag for tag, _ in outline.tags)["article"] == 20
    assert text.count("the best 60 of 300 by gate") >= 10
    assert "一共有多少个苹果？" in text


def test_every_chart_has_its_place_and_its_spec(summary: Summary, outline: Outline) -> None:
    places = [attrs["data-chart"] for _, attrs in outline.tags if "data-chart" in attrs]
    assert sorted(map(str, places)) == sorted(outline.specs)
    assert outline.specs == charts(summary)


def test_nothing_is_fetched(outline: Outline) -> None:
    for tag, attrs in outline.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert not {"src", "href"} & set(attrs)
    [policy] = [attrs["content"] for _, attrs in outline.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'")


def test_vega_is_inlined_once(html: str) -> None:
    assert html.count(page.vega_scripts()) == 1
    assert len(html) < 1_200_000


def test_text_from_the_data_makes_no_markup(tmp_path: Path) -> None:
    def tags(name: str, said: str) -> list[str]:
        runs = FakeRuns(tmp_path / name / "store", text=said)
        arms = {said if arm == "gate" else arm: found for arm, found in runs.arms().items()}
        html = page.render(summarize(said, arms, "random", 20, stats))
        assert said == "peace" or said not in html
        return [tag for tag, _ in Outline(html).tags]

    assert tags("a", HOSTILE) == tags("b", "peace")
    assert tags("c", "\"'><img src=x onerror=alert(1)></script><!--{{7*7}}") == tags("d", "peace")


def test_without_faults_and_answers(bare: Summary) -> None:
    found = Outline(page.render(bare))
    assert "Loss" in found.text
    assert "Faults were planted" not in found.text
    assert INTERVALS in found.text
    text = re.sub(r"\s+", " ", found.text)
    assert "loss [95 %]" in text
    assert "accuracy" not in text.casefold()
    assert "lower is better" in text
    assert "nats (below 0 is better)" in text
    for arm in bare["arms"]:
        assert loss(arm) in text
    assert set(found.specs) == {"result", "budgets", "curves", "funnel", "histogram-0", "histogram-1"}


def test_a_model_from_elsewhere_alone(tmp_path: Path) -> None:
    found = Outline(page.render(summarize("", {"bought": [FakeRuns(tmp_path / "s").bought(0.5)]}, "", 20, stats)))
    assert "rows in the pool" not in found.text
    assert set(found.specs) == {"result"}


def test_the_same_summary_gives_the_same_page(summary: Summary, html: str) -> None:
    assert page.render(summary) == html
