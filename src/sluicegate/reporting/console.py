"""The table a run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.numbers import accuracy, count, decimals, percent

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("arm", "rows", "label tokens", "clean share", "accuracy [95 %]", "seconds")


def arms_table(summary: Mapping[str, Any]) -> Table:
    """One line per arm; a column of loss stands in for accuracy where no question has an answer."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    scored = any(arm["accuracy"] is not None for arm in summary["arms"])
    table = Table(box=box.SIMPLE_HEAD, title_justify="left")
    for n, name in enumerate(COLUMNS):
        table.add_column(name if scored or n != 4 else "loss", justify="left" if n == 0 else "right", no_wrap=n == 0)
    for arm in summary["arms"]:
        result = accuracy(arm) if scored else decimals(arm["loss"])
        numbers = [count(arm["rows"]), count(arm["label_tokens"]), percent(arm["clean_share"]), result]
        table.add_row(Text(arm["arm"]), *numbers, f"{arm['seconds']:.1f}")
    return table
