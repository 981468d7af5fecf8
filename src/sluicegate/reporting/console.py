"""The table a run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.numbers import NONE, count, percent, result

if TYPE_CHECKING:
    from rich.table import Table


def arms_table(summary: Mapping[str, Any]) -> Table:
    """One line per arm, the lead in bold; loss stands in for accuracy where answers tell nothing.

    On a narrow screen the arms' names fold and the numbers stay whole.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("arm", overflow="fold", min_width=6)
    for name in ("rows", "label\ntokens", "clean\nshare", f"{summary['metric']}\n[95 %]", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for arm in summary["arms"]:
        numbers = [count(arm["rows"]), count(arm["label_tokens"]), percent(arm["clean_share"])]
        numbers.append(result(arm, summary["metric"]))
        seconds = NONE if arm["seconds"] is None else f"{arm['seconds']:,.1f}"
        style = "bold" if arm["arm"] == summary["lead"] else ""
        table.add_row(Text(arm["arm"]), *numbers, seconds, style=style)
    return table
