"""The page of a search draws what there is to draw, and lets no text of a recipe become markup."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import vl_convert

from sluicegate.reporting.search_page import page

HOSTILE = "</script><b>why</b>"


def trial(number: int, state: str = "whole", value: float | None = 1.0, **more: Any) -> dict[str, Any]:
    settings = {"sft.learning_rate": 10.0 ** -(number + 1), "sft.lora.rank": 4, "sft.lora.targets": ["q_proj"]}
    told = {"number": number, "state": state, "value": value, "settings": settings, "rungs": {}, "seconds": 75.0}
    return {**told, "reason": "", **more}


TRIALS = [
    trial(0, value=0.5),
    trial(1, "pruned", 0.9, rungs={10: 0.9}),
    trial(2, value=0.25, rungs={10: 0.4, 20: 0.25}),
    trial(3, "failed", None, reason=HOSTILE),
    trial(4, "broken off", None, settings={}),
]


def rendered(trials: list[dict[str, Any]], best: int | None = None) -> str:
    return page("sft", "result.loss", "minimize", trials, best, "sluice run sft a.b=1")


def specs(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="specs">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_it_names_the_best_and_its_command() -> None:
    text = rendered(TRIALS, best=2)
    assert "Trial 2 of 5 came out best: result.loss 0.2500" in text
    assert "sluice run sft a.b=1" in text
    assert "1 min 15 s" in text


def test_every_chart_is_drawn() -> None:
    drawn = specs(rendered(TRIALS, best=2))
    assert set(drawn) == {"course", "rungs", "key-0", "key-1", "key-2"}
    for name, spec in drawn.items():
        assert vl_convert.vegalite_to_svg({**spec, "width": 300}).count("<path") > 2, name


def test_the_line_is_the_best_so_far_of_those_that_went_all_the_way() -> None:
    (line, _) = specs(rendered(TRIALS, best=2))["course"]["layer"]
    assert line["data"]["values"] == [{"trial": 0, "value": 0.5}, {"trial": 2, "value": 0.25}]


def test_a_wide_range_is_drawn_by_orders_of_magnitude() -> None:
    drawn = specs(rendered([trial(n) for n in range(3)], best=0))
    assert drawn["key-0"]["encoding"]["x"]["scale"] == {"type": "log"}
    assert drawn["key-1"]["encoding"]["x"]["scale"] == {"zero": False}
    assert drawn["key-2"]["encoding"]["x"]["type"] == "nominal"


@pytest.mark.parametrize("trials", [TRIALS[3:], TRIALS[4:]])
def test_without_a_whole_trial_it_says_so(trials: list[dict[str, Any]]) -> None:
    text = rendered(trials)
    assert f"None of {len(trials)} trials came to its end" in text
    assert specs(text) == {}


def test_a_reason_makes_no_markup_and_nothing_is_fetched() -> None:
    text = rendered(TRIALS, best=2)
    assert HOSTILE not in text
    assert "&lt;b&gt;why" in text
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="http', text)
