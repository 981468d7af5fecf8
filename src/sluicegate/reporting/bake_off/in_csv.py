"""The bake-off's numbers as CSV, one value in a cell and all its digits; an unknown value is an empty cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sluicegate.reporting.bake_off.order import Row, Summary, faults, signals
from sluicegate.reporting.csv_text import csv_text

Line = Mapping[str, Any]


def csv_tables(summary: Summary) -> dict[str, str]:
    """The files' names without `.csv`, to their texts.

    `signals` has a line per signal; what is known per fault, rule and reason has columns of its own. `arms`, left out
    where nothing was trained, has a line per arm and budget, controls included, and a column per seed.
    """
    lines = {
        "signals": [_signal(row, faults(summary)) for row in signals(summary)],
        "arms": [_arm(arm, summary["metric"]) for arm in summary["arms"]],
    }
    return {name: csv_text(found) for name, found in lines.items() if found}


def _signal(row: Row, faults: Sequence[str]) -> Line:
    alone = ("signal", "uses_trusted", "auroc", "precision", "forward_units", "seconds", "scored")
    chosen = [
        (rule, share, clean) for rule, found in (row["clean_share"] or {}).items() for share, clean in found.items()
    ]
    return {
        **{key: row[key] for key in alone},
        **{f"auroc {fault}": (row["by_fault"] or {}).get(fault) for fault in faults},
        **{f"precision {fault}": (row["precision_by_fault"] or {}).get(fault) for fault in faults},
        **{f"clean {rule} {share}": clean for rule, share, clean in chosen},
        **{f"unscored {why}": rows for why, rows in row["unscored_why"].items()},
    }


def _arm(arm: Row, metric: str) -> Line:
    names = ("arm", "signal", "rule", "budget", "trusted", "control", "rows", "label_tokens", "steps", "seeds")
    gain = arm["gain"] or {}
    return {
        **{key: arm[key] for key in (*names, metric, "low", "high", "against")},
        **{f"gain_{key}": gain.get(key) for key in ("mean", "low", "high")},
        **{key: arm[key] for key in ("verdict", "forward_units", "seconds")},
        **{f"seed_{n}": value for n, value in enumerate(arm["per_seed"], 1)},
    }
