from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from sluicegate.reporting.console import arms_table
from sluicegate.reporting.numbers import accuracy, count, percent
from sluicegate.reporting.summary import Summary


def shown(summary: Any, width: int, terminal: bool = False) -> list[str]:
    screen = Console(
        file=StringIO(), width=width, force_terminal=terminal, color_system="standard" if terminal else None
    )
    screen.print(arms_table(summary))
    return screen.file.getvalue().splitlines()  # type: ignore[attr-defined]


def longest(summary: Summary) -> dict[str, Any]:
    """The same comparison with numbers as wide as they come, and an arm whose name is a sentence."""
    wide = {"rows": 1_250_000, "label_tokens": 987_654_321, "clean_share": 1.0, "seconds": 86_400.5}
    wide |= {"accuracy": 1.0, "low": 1.0, "high": 1.0}
    arms = [{**summary["arms"][0], **wide, "arm": "gate and clusters over everything " * 3}, *summary["arms"][1:]]
    return {**summary, "arms": arms}


@pytest.mark.parametrize("width", [80, 120])
def test_one_line_per_arm_with_whole_numbers(summary: Summary, width: int) -> None:
    lines = shown(summary, width)
    for arm in summary["arms"]:
        [line] = [line for line in lines if line.split()[:1] == [arm["arm"]]]
        numbers = [count(arm["rows"]), count(arm["label_tokens"]), percent(arm["clean_share"]), accuracy(arm)]
        assert re.split(r" {2,}", line.strip()) == [arm["arm"], *numbers, f"{arm['seconds']:.1f}"]


@pytest.mark.parametrize("width", [80, 120])
def test_long_names_fold_and_long_numbers_do_not(summary: Summary, width: int) -> None:
    lines = shown(longest(summary), width)
    for number in ("1,250,000", "987,654,321", "100.0 %   100.0 % [100.0, 100.0]", "86,400.5"):
        assert sum(number in line for line in lines) == 1
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)


def test_the_columns_are_named(summary: Summary) -> None:
    upper, lower = shown(summary, 80)[1:3]
    assert upper.split() == ["label", "clean", "accuracy"]
    assert lower.split() == ["arm", "rows", "tokens", "share", "[95", "%]", "seconds"]


def test_no_colours_when_piped_and_bold_for_the_lead_on_a_terminal(summary: Summary) -> None:
    assert "\x1b" not in "".join(shown(summary, 80))
    [line] = [line for line in shown(summary, 80, terminal=True) if "gate" in line]
    assert "\x1b[1m" in line


def test_loss_and_dashes_where_there_is_nothing_else(bare: Summary) -> None:
    without = {**bare, "arms": [{**arm, "seconds": None, "rows": None} for arm in bare["arms"]]}
    lines = shown(without, 80)
    assert lines[1].split()[-1] == "loss"
    gate = bare["arms"][0]
    assert re.split(r" {2,}", next(line for line in lines if "gate" in line).strip()) == [
        "gate", "–", "2,960", "–", f"1.350 [{gate['low']:.3f}, {gate['high']:.3f}]", "–",
    ]  # fmt: skip


def test_names_are_no_markup(summary: Summary) -> None:
    arms = [{**summary["arms"][0], "arm": "[red]gate[/]"}]
    assert any("[red]gate[/]" in line for line in shown({**summary, "arms": arms}, 80))
