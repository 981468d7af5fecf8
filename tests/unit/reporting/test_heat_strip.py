"""The terminal's picture: readable without a colour, true with them."""

from __future__ import annotations

import io
import re

import numpy as np

from samples import make_sample
from sluicegate.reporting.heat_strip import heat_strip
from sluicegate.reporting.sample import Sample


def shown(sample: Sample, width: int = 80, colours: bool = False) -> str:
    from rich.console import Console

    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colours, color_system="truecolor" if colours else None)
    console.print(heat_strip(sample, width))
    return file.getvalue()


def blocks(text: str, name: str) -> str:
    return "".join(re.findall(rf"^ +{name} ([▁-█×]+) *$", text, re.M))


def test_a_block_stands_as_high_as_its_number() -> None:
    gates = np.array([[-8.0, 0.0, 8.0, np.nan]])
    sample = make_sample([(c, 1) for c in "abcd"], 1, gates=gates, nll=np.array([0.0, 1.0, 9.0, np.nan]), layers=[5])
    assert blocks(shown(sample), "5") == "▁▅█×"
    assert blocks(shown(sample), "nll") == "▁▂█×"


def test_long_responses_wrap_with_the_screen_and_deep_models_share_lines() -> None:
    sample = make_sample([("word ", 1)] * 200, 36)
    text = shown(sample, width=72)
    assert re.findall(r"tokens (\d+) to (\d+)", text)[0][0] == "1"
    assert re.findall(r"tokens (\d+) to (\d+)", text)[-1][1] == "200"
    assert len(blocks(text, "nll")) == len(blocks(text, "0–4")) == 200
    assert len(set(re.findall(r"^ +(\d+–\d+) ", text, re.M))) == 12
    assert max(map(len, text.splitlines())) <= 72


def test_the_lowest_tokens_are_listed_in_their_text() -> None:
    gates = np.array([[1.0, -3.0, 2.0, 2.0]])
    sample = make_sample([("An\n", 1), ("加", 2), (" end", 1)], 1, gates=gates)
    rows = [line.strip() for line in shown(sample).splitlines() if "⟦" in line]
    assert [row.split("  ")[-1].strip() for row in rows] == ["An↵⟦加⟧ end", "⟦An↵⟧加 end", "An↵加⟦ end⟧"]
    assert rows[0].split()[:2] == ["2", "-0.50"]


def test_colours_are_of_the_sign_and_only_where_there_is_something_to_see() -> None:
    gates = np.array([[8.0, -8.0, 0.1]])
    text = shown(make_sample([("up", 1), ("down", 1), ("even", 1)], 1, gates=gates), colours=True)
    assert re.search(r"\x1b\[38;2;0;0;0;48;2;59;130;196mup", text)
    assert re.search(r"\x1b\[38;2;0;0;0;48;2;200;85;61mdown", text)
    assert re.search(r"\x1b\[0meven", text)


def test_a_sample_without_tokens_says_so() -> None:
    text = shown(make_sample([], truncated=12), width=120)
    assert "no response token was read" in text
    assert "12 tokens cut off" in text
    assert "no prompt" in text
