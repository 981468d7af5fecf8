from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from fake_bake_off import bake_off, renamed
from sluicegate.reporting.bake_off import console_table


def shown(summary: dict[str, Any], width: int = 100, terminal: bool = False) -> list[str]:
    out = StringIO()
    color = "standard" if terminal else None
    Console(file=out, width=width, force_terminal=terminal, color_system=color).print(console_table(summary))
    return out.getvalue().splitlines()


def cells(line: str) -> list[str]:
    return re.split(r" {2,}", line.strip())


def test_best_gain_first_and_controls_last_in_every_budget() -> None:
    lines = shown(bake_off())
    names = [cells(line)[0] for line in lines]
    first, second = names.index("20 % of rows"), names.index("20 % of label tokens")
    assert cells(lines[first + 1]) == ["gate, clusters", "61.5 %", "+13.4 [+10.0, +16.8]", "better", "2.41"]
    assert cells(lines[first + 27]) == ["random, with trusted rows", "48.1 %", "–", "control", "0.00"]
    assert second == first + 1 + 26 + 4 + 1
    assert names[second + 1] == "gate, clusters"


def test_signals_where_nothing_was_trained() -> None:
    lines = shown(bake_off(arms=False))
    assert cells(next(line for line in lines if "gate" in line)) == ["gate", "0.971", "0.881", "2.41"]
    assert cells(next(line for line in lines if "deita" in line))[-1] == "–"


@pytest.mark.parametrize("width", [80, 120])
def test_long_names_fold_and_numbers_stay_whole(width: int) -> None:
    lines = shown(
        renamed(bake_off(), {"gate": "a gate with a very long name " * 3, "reference": "参考模型的损失" * 5}), width
    )
    assert sum("+13.4 [+10.0, +16.8]" in line for line in lines) == 1
    assert "…" not in "".join(lines)
    assert max(map(len, lines)) <= width


def test_names_are_no_markup_and_only_the_best_are_bold() -> None:
    lines = shown(renamed(bake_off(), {"gate": "[red]gate[/]"}), terminal=True)
    assert sum("[red]gate[/]" in line for line in lines) == 4
    assert sum("\x1b[1m" in line and "better" in line for line in lines) == 5
