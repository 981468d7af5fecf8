"""The table a run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.numbers import NONE, accuracy, count, decimals, percent

if TYPE_CHECKING:
    from rich.table import Table


def arms_table(summary: Mapping[str, Any]) -> Table:
    """One line per arm, the lead in bold; loss stands in for accuracy where no question has an answer.

    On a narrow screen the arms' names fold and the numbers stay whole.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    scored = any(arm["accuracy"] is not None for arm in summary["arms"])
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("arm", overflow="fold", min_width=6)
    for name in ("rows", "label\ntokens", "clean\nshare", "accuracy\n[95 %]" if scored else "loss", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for arm in summary["arms"]:
        result = accuracy(arm) if scored else decimals(arm["loss"])
        numbers = [count(arm["rows"]), count(arm["label_tokens"]), percent(arm["clean_share"]), result]
        seconds = NONE if arm["seconds"] is None else f"{arm['seconds']:,.1f}"
        style = "bold" if arm["arm"] == summary["lead"] else ""
        table.add_row(Text(arm["arm"]), *numbers, seconds, style=style)
    return table
