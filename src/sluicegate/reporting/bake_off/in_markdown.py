"""The bake-off for a repository, mail or a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.reporting.bake_off.arm_columns import arm_columns
from sluicegate.reporting.bake_off.caveats import caveats
from sluicegate.reporting.bake_off.column import Column
from sluicegate.reporting.bake_off.meanings import meanings
from sluicegate.reporting.bake_off.order import Row, Summary, budgets, contestants, controls, faults, signals
from sluicegate.reporting.bake_off.signal_columns import FAULT, fault_columns, reasons, signal_columns
from sluicegate.reporting.markdown import plain, table
from sluicegate.reporting.numbers import INTERVALS, count


def markdown(summary: Summary) -> str:
    """The advice, the tables, and what every column means; text from the data is escaped."""
    parts = [f"# {plain(summary['title'])}", f"**{plain(summary['advice'])}**", _pool(summary)]
    parts += [*_signals(summary), *_arms(summary), *_columns(summary), *_caveats(summary)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _pool(summary: Summary) -> str:
    pool = summary["pool"]
    told = f"The pool: {count(pool['rows'])} rows with {count(pool['label_tokens'])} label tokens"
    kinds = ", ".join(f"{count(rows)} {plain(fault)}" for fault, rows in pool["faults"].items())
    return f"{told}{f', of them {kinds}' if kinds else ''} (`{pool['id']}`)."


def _signals(summary: Summary) -> list[str]:
    rows = signals(summary)
    parts = ["## Signals", _table(signal_columns(summary), rows)]
    if missing := reasons(rows):
        lines = [f"- {plain(why)}: {', '.join(map(plain, names))}" for why, names in missing.items()]
        parts += ["Rows without a score, and why:", "\n".join(lines)]
    if faults(summary):
        parts += ["### AUROC, fault by fault", FAULT, _table(fault_columns(summary), rows)]
    return parts


def _arms(summary: Summary) -> list[str]:
    """A table per budget, its controls in italics below the arms that choose."""
    if not summary["arms"]:
        return []
    parts = ["## Arms", f"{INTERVALS[0].upper()}{INTERVALS[1:]}; those of the gains hold all at once."]
    for budget in budgets(summary):
        rows = [*contestants(summary, budget), *controls(summary, budget)]
        parts += [f"### {plain(budget)}", _table(arm_columns(summary), rows)]
    return parts


def _columns(summary: Summary) -> list[str]:
    lines = [f"- **{plain(heads)}**: {plain(meaning)}" for heads, meaning in meanings(summary).items()]
    return ["## What the columns mean", "\n".join(lines)]


def _caveats(summary: Summary) -> list[str]:
    return ["## What this does not show", "\n".join(f"- {plain(caveat)}" for caveat in caveats(summary))]


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    return table([plain(column.head) for column in columns], [_line(columns, row) for row in rows])


def _line(columns: Sequence[Column], row: Row) -> list[str]:
    """The name of an arm that is better than its control is bold, that of a control in italics."""
    name, *cells = (column.cell(row) for column in columns)
    mark = "_" if row.get("control") else "**" if row.get("verdict") == "better" else ""
    return [f"{mark}{plain(name)}{mark}", *cells]
