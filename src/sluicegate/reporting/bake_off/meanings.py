"""What stands in the columns, in plain words, for those who read a bake-off for the first time."""

from __future__ import annotations

from sluicegate.reporting.bake_off.arm_columns import arm_columns
from sluicegate.reporting.bake_off.order import Summary
from sluicegate.reporting.bake_off.signal_columns import signal_columns


def meanings(summary: Summary) -> dict[str, str]:
    """Head to meaning, of all tables; the heads of columns that mean the same are joined."""
    heads: dict[str, list[str]] = {}
    for column in [*signal_columns(summary), *(arm_columns(summary) if summary["arms"] else [])]:
        heads.setdefault(column.meaning, []).append(column.head)
    return {" · ".join(dict.fromkeys(named)): meaning for meaning, named in heads.items()}
