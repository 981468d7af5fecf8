"""What stands first: the largest gain, the highest AUROC, the best result; ties by name, and the unknown last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Summary: TypeAlias = Mapping[str, Any]
"""`summary.json` of a bake-off."""
Row: TypeAlias = Mapping[str, Any]
"""One of its signals or arms."""


def signals(summary: Summary) -> list[Row]:
    """All signals by AUROC."""
    return sorted(summary["signals"], key=lambda row: _high_first(row["auroc"], row["signal"]))


def budgets(summary: Summary) -> list[str]:
    """The budgets at which signals were tried, in the order of the summary."""
    return list(dict.fromkeys(arm["budget"] for arm in summary["arms"] if not arm["control"]))


def contestants(summary: Summary, budget: str) -> list[Row]:
    """The arms of a budget that chose by a signal, by gain."""
    arms = [arm for arm in summary["arms"] if not arm["control"] and arm["budget"] == budget]
    return sorted(arms, key=lambda arm: _high_first(arm["gain"] and arm["gain"]["mean"], arm["arm"]))


def controls(summary: Summary, budget: str) -> list[Row]:
    """What they are measured against, best first: the budget's controls, and those that no budget binds."""
    elsewhere = set(budgets(summary)) - {budget}
    arms = [arm for arm in summary["arms"] if arm["control"] and arm["budget"] not in elsewhere]
    sign = -1 if summary["metric"] == "loss" else 1
    return sorted(arms, key=lambda arm: _high_first(_times(sign, arm[summary["metric"]]), arm["arm"]))


def faults(summary: Summary) -> list[str]:
    """Every fault some signal was judged by."""
    return sorted({fault for signal in summary["signals"] for fault in signal["by_fault"] or {}})


def choices(summary: Summary) -> list[str]:
    """Every rule under which clean rows were counted, in the order of the summary."""
    return list(dict.fromkeys(rule for signal in summary["signals"] for rule in signal["clean_share"] or {}))


def rules(summary: Summary) -> list[str]:
    """Every rule some arm chose by, in the order of the summary."""
    return list(dict.fromkeys(arm["rule"] for arm in summary["arms"] if not arm["control"]))


def _times(sign: int, value: float | None) -> float | None:
    return None if value is None else sign * value


def _high_first(value: float | None, name: str) -> tuple[bool, float, str]:
    return (value is None, -(value or 0.0), name)
