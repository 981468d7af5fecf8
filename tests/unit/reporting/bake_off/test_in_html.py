from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from fake_bake_off import bake_off, renamed
from fake_runs import HOSTILE
from sluicegate.reporting.bake_off import page
from sluicegate.reporting.bake_off.charts import charts


class Outline(HTMLParser):
    """The tags of a page with their attributes, its text outside of scripts and styles, and the pictures' specs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.specs: dict[str, Any] = {}
        self._inside = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

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
def html() -> str:
    return page(bake_off())


def test_the_advice_is_the_headline(html: str) -> None:
    outline = Outline(html)
    assert re.search(r'<h1 class="long">At 20 % of rows gate with clusters', html)
    for said in ("+13.4 [+10.0, +16.8]", "among the best", "97.6 / 95.2 / 92.8 %", "731 × no equation", "290 models"):
        assert said in outline.text.replace("models trained and evaluated290", "290 models")


def test_every_picture_has_its_place_and_its_spec(html: str) -> None:
    outline = Outline(html)
    places = [attrs["data-chart"] for _, attrs in outline.tags if "data-chart" in attrs]
    assert sorted(map(str, places)) == sorted(outline.specs)
    assert outline.specs == charts(bake_off())


def test_nothing_is_fetched(html: str) -> None:
    for tag, attrs in Outline(html).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed")
        assert not {"src", "href"} & set(attrs)


def test_cells_sort_by_numbers_and_controls_stand_apart(html: str) -> None:
    table = html.split('<table class="sheet">')[1].split("</table>")[0]
    chosen, controls = table.split('<tbody class="controls">')
    assert '<th scope=row data-value="gate, clusters">gate, clusters</th>' in chosen
    assert '<td data-value="0.6151">61.5 % [58.6, 64.6]</td>' in chosen
    assert '<td data-value="">–</td>' in controls
    assert chosen.count("<tr") == 27
    assert controls.count("<tr") == 4


@pytest.mark.parametrize(
    "given",
    [{"metric": "loss"}, {"arms": False}, {"faults": False}, {"arms": False, "faults": False}, {"seeds": 1}],
)
def test_whatever_is_missing(given: dict[str, Any]) -> None:
    found = Outline(page(bake_off(**given)))
    assert "None" not in found.text
    assert ("accuracy" in found.text.casefold()) == (given.get("arms", True) and given.get("metric") != "loss")
    assert ("AUROC" in found.text.split("What this does not show")[0]) == given.get("faults", True)


def test_text_from_the_data_makes_no_markup() -> None:
    named = ("gate", "clusters", "title", "advice", "20 % of rows")

    def tags(name: str) -> list[str]:
        html = page(renamed(bake_off(), dict.fromkeys(named, name)))
        assert name == "peace" or name not in html
        return [tag for tag, _ in Outline(html).tags]

    assert tags(HOSTILE) == tags("\"'><img src=x onerror=alert(1)></script><!--{{7*7}}") == tags("peace")


def test_the_same_summary_gives_the_same_page(html: str) -> None:
    assert page(bake_off()) == html
