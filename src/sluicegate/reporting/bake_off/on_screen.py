"""The table a bake-off ends with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sluicegate.reporting.bake_off.arm_columns import gain
from sluicegate.reporting.bake_off.order import Row, Summary, budgets, contestants, controls, signals
from sluicegate.reporting.numbers import NONE, decimals, percent

if TYPE_CHECKING:
    from rich.table import Table

Line = tuple[str, list[str], str]
"""A name, the numbers beside it, and the style of both."""


def console_table(summary: Summary) -> Table:
    """The arms of every budget, best gain first and controls last; the signals where nothing was trained.

    On a narrow screen names fold and the numbers stay whole.
    """
    return _arms(summary) if summary["arms"] else _signals(summary)


def _arms(summary: Summary) -> Table:
    table = _table("arm", (str(summary["metric"]), "gain [95 %]", "verdict", "forward\npasses"))
    for budget in budgets(summary):
        _add(table, (budget, [], "italic"))
        for line in _lines(summary, budget):
            _add(table, line)
        table.add_section()
    return table


def _lines(summary: Summary, budget: str) -> Iterator[Line]:
    metric = summary["metric"]
    write = percent if metric == "accuracy" else decimals
    for arm in [*contestants(summary, budget), *controls(summary, budget)]:
        said = "control" if arm["control"] else arm["verdict"] or NONE
        numbers = [write(arm[metric]), gain(arm, metric), said, decimals(arm["forward_units"], 2)]
        yield arm["arm"], numbers, _style(arm)


def _style(arm: Row) -> str:
    """The arms no other is told apart from and ahead of are bold."""
    return "dim" if arm["control"] else "bold" if arm.get("ties_with_best") else ""


def _signals(summary: Summary) -> Table:
    table = _table("signal", ("AUROC", "R-precision", "forward\npasses"))
    for row in signals(summary):
        numbers = [decimals(row["auroc"]), decimals(row["precision"]), decimals(row["forward_units"], 2)]
        _add(table, (row["signal"], numbers, ""))
    return table


def _table(first: str, others: tuple[str, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(first, overflow="fold", min_width=6)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add(table: Table, line: Line) -> None:
    from rich.text import Text

    name, numbers, style = line
    table.add_row(Text(name), *numbers, style=style)
