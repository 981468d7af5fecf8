"""The page: whole, escaped, every token under its text."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from samples import make_sample
from sluicegate.reporting.heat_map import LINE, render
from sluicegate.reporting.sample import Piece, Sample

HOSTILE = '</pre></script><script>alert(1)</script><img src="x" onerror="alert(1)">'


def numbers(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="numbers">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def labels(page: str) -> list[str]:
    return re.findall(r'<div class="piece"><b>(.*?)</b>', page)


def test_every_token_is_a_column_and_every_piece_a_label() -> None:
    page = render([make_sample([("The", 1), (" 苹果", 4), (".\n", 1), (" ", 1)])], "scores-1")
    assert labels(page) == ["The", "苹果", ".↵", "␣"]
    assert re.findall(r'class="token" data-token="(\d+)"', page) == [str(n) for n in range(7)]
    assert page.count("linear-gradient(rgb(") == 7
    [told] = numbers(page)
    assert told["texts"] == ["The", *[" 苹果"] * 4, ".↵", " "]
    assert told["parts"] == ["", "1 of 4", "2 of 4", "3 of 4", "4 of 4", "", ""]
    assert np.shape(told["gates"]) == (3, 7)
    assert told["layers"] == [0, 2, 4]


def test_a_column_runs_from_the_first_layer_down_in_the_colours_of_its_logits() -> None:
    gates = np.array([[2.0], [-1.0]], np.float32)
    page = render([make_sample([("a", 1)], gates=gates, layers=[3, 7])], "scores-1")
    [heat] = re.findall(r"--heat: linear-gradient\((.*?)\);", page)
    assert heat == "rgb(59 130 196/1.00) 0 50%, rgb(200 85 61/0.51) 0 100%"


def test_text_of_the_data_cannot_act() -> None:
    sample = make_sample([(HOSTILE, 2)], id=HOSTILE, prompt=HOSTILE, source=HOSTILE, lang=HOSTILE)
    page = render([sample], HOSTILE)
    assert "<img" not in page
    assert page.count("<script") == 2
    assert numbers(page)[0]["texts"] == [HOSTILE, HOSTILE]


def test_the_page_fetches_nothing() -> None:
    page = render([make_sample([("a", 1)])], "scores-1")
    assert not re.search(r"(?:src|href)\s*=|url\(|https?:", page)
    assert "default-src 'none'" in page


def test_a_long_response_goes_on_on_the_next_line() -> None:
    words = [(f" word{n}", 1) for n in range(60)]
    page = render([make_sample(words)], "scores-1")
    lines = [labels(line) for line in page.split('<div class="stave')[1:]]
    assert len(lines) == 4
    assert page.count('<div class="stave full">') == 3
    assert max(len("".join(line)) + len(line) for line in lines) <= LINE
    assert labels(page) == [text.strip() for text, _ in words]


def test_what_is_no_number_has_no_colour_and_is_no_bad_json() -> None:
    sample = make_sample([("a", 1), ("b", 1)], 1, gates=np.array([[np.nan, 1.0]]), nll=np.array([np.inf, 1.0]))
    page = render([sample], "scores-1")
    assert "linear-gradient(transparent 0 100%)" in page
    assert numbers(page)[0]["gates"] == [[None, 1.0]]
    assert numbers(page)[0]["nll"] == [None, 1.0]


def test_without_a_gate_the_bars_are_left() -> None:
    page = render([make_sample([("a", 1), ("b", 1)], 0)], "scores-1")
    assert "nll under the median" in page
    assert page.count("--heat: none") == 2


def test_turns_stand_apart_and_samples_under_each_other() -> None:
    talk = make_sample([("a", 1), ("b", 1)], turns=[[Piece("a", 0, 1)], [Piece("b", 1, 2)]])
    page = render([talk, make_sample([])], "scores-1")
    assert page.count('<pre class="turn">') == page.count('<div class="stave">') == 2
    assert page.count("<section") == 2
    assert "No response token was read." in page
    assert "no prompt" in page, "a signal without a score says why"


@pytest.mark.parametrize("n_layers", [1, 36])
def test_layers_are_numbered_as_closely_as_there_is_room(n_layers: int) -> None:
    sample: Sample = make_sample([("a", 1)], n_layers)
    [names] = re.findall(r'<div class="names">(.*?)</div>', render([sample], "scores-1"))
    assert names.count("<span>") == n_layers + 1
    assert re.findall(r"<span>(\d+)</span>", names) == [
        str(layer) for layer in sample.layers[:: 1 if n_layers == 1 else 3]
    ]
