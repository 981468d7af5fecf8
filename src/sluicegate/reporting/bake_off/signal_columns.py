"""What is told of every signal; a column in which nothing is known is left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from sluicegate.reporting.bake_off.column import Column, of_key
from sluicegate.reporting.bake_off.order import Row, Summary, choices, faults
from sluicegate.reporting.numbers import NONE, count, decimals, duration

SIGNAL = "The number every row of the pool is scored by; higher is better."
TRUSTED = "Whether the signal learns from the trusted rows, or compares rows with them."
AUROC = (
    "Take a clean row and a faulty one, both at random: how often the clean one scores higher. 1 is perfect, .5 is a "
    "coin; below .5 the signal prefers the fault. Duplicates are left out of the overall number: a signal that reads "
    "one row at a time cannot see them."
)
R_PRECISION = (
    "With k faulty rows in the pool, the share of faulty ones among the k rows scored lowest: 1 is perfect, and a coin "
    "gets the share of faulty rows in the pool."
)
CLEAN = "Share of clean rows among those that the rule keeps by the signal, at each of these fractions of the pool."
FAULT = "Clean rows against those with one fault alone."
PASSES = (
    "What all scores of the pool cost, with everything that had to be learned for them, in forward passes: 1 is the "
    "work of the model reading the whole pool once, and 0 reads no model."
)
TIME = "The same cost on the clock of the machine this ran on."
UNSCORED = "Rows the signal can say nothing about. No rule keeps them, and AUROC and R-precision leave them out."


def signal_columns(summary: Summary) -> list[Column]:
    """The columns of the table of signals."""
    columns = [
        of_key("signal", "signal", str, SIGNAL),
        of_key("trusted rows", "uses_trusted", lambda used: "yes" if used else "no", TRUSTED),
        of_key("AUROC", "auroc", decimals, AUROC),
        of_key("R-precision", "precision", decimals, R_PRECISION),
        *(_clean(rule, summary["shares"]) for rule in choices(summary)),
        of_key("forward passes", "forward_units", partial(decimals, digits=2), PASSES),
        of_key("time", "seconds", duration, TIME),
        _unscored(summary["pool"]["rows"]),
    ]
    return [column for column in columns if any(column.value(row) is not None for row in summary["signals"])]


def fault_columns(summary: Summary) -> list[Column]:
    """The columns of the table of faults: the AUROC of every signal, over all and fault by fault."""
    return [
        of_key("signal", "signal", str, SIGNAL),
        of_key("all faults", "auroc", decimals, AUROC),
        *(_by_fault(fault) for fault in faults(summary)),
    ]


def reasons(signals: Sequence[Row]) -> dict[str, list[str]]:
    """Why rows have no score, as `10 × no response token left`, to the signals of which that is so."""
    found: dict[str, list[str]] = {}
    for signal in signals:
        for why, rows in signal["unscored_why"].items():
            found.setdefault(f"{count(rows)} × {why}", []).append(signal["signal"])
    return found


def _clean(rule: str, shares: Sequence[float]) -> Column:
    at = "/".join(f"{100 * share:g}" for share in shares)
    mean = partial(_mean_clean, rule=rule, shares=shares)
    cell = partial(_clean_cell, rule=rule, shares=shares)
    return Column(f"clean at {at} %, {rule}", CLEAN, mean, cell)


def _clean_shares(row: Row, rule: str, shares: Sequence[float]) -> list[float | None]:
    found = (row["clean_share"] or {}).get(rule, {})
    return [found.get(f"{share:g}") for share in shares]


def _mean_clean(row: Row, rule: str, shares: Sequence[float]) -> float | None:
    known = [value for value in _clean_shares(row, rule, shares) if value is not None]
    return fmean(known) if known else None


def _clean_cell(row: Row, rule: str, shares: Sequence[float]) -> str:
    """`97.6 / 95.2 / 92.8 %`."""
    if _mean_clean(row, rule, shares) is None:
        return NONE
    found = _clean_shares(row, rule, shares)
    return " / ".join(NONE if value is None else f"{100 * value:.1f}" for value in found) + " %"


def _by_fault(fault: str) -> Column:
    return Column(fault, FAULT, partial(_auroc, fault=fault), lambda row: decimals(_auroc(row, fault), 2))


def _auroc(row: Row, fault: str) -> float | None:
    return (row["by_fault"] or {}).get(fault)


def _unscored(rows: int) -> Column:
    return Column("no score", UNSCORED, lambda row: rows - row["scored"], lambda row: count(rows - row["scored"]))
