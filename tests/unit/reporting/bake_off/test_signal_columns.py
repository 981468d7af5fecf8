from __future__ import annotations

from typing import Any

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.order import signals
from sluicegate.reporting.bake_off.signal_columns import fault_columns, reasons, signal_columns

FULL = bake_off()


def cells(summary: dict[str, Any], name: str) -> dict[str, str]:
    row = next(row for row in summary["signals"] if row["signal"] == name)
    return {column.head: column.cell(row) for column in signal_columns(summary)}


def test_a_signal_in_words() -> None:
    assert cells(FULL, "less") == {
        "signal": "less",
        "trusted rows": "yes",
        "AUROC": "0.824",
        "R-precision": "0.734",
        "clean at 10/20/30 %, plain": "82.0 / 79.9 / 77.9 %",
        "clean at 10/20/30 %, clusters": "83.0 / 80.9 / 78.9 %",
        "forward passes": "19.70",
        "time": "1 min 41 s",
        "no score": "10",
    }


def test_what_is_not_known_is_a_dash() -> None:
    found = cells(FULL, "deita")
    assert found["forward passes"] == found["time"] == "–"
    partly = [
        row | {"clean_share": {"plain": {"0.2": 0.5}}} if row["signal"] == "ifd" else row for row in FULL["signals"]
    ]
    found = cells({**FULL, "signals": partly}, "ifd")
    assert found["clean at 10/20/30 %, plain"] == "– / 50.0 / – %"
    assert found["clean at 10/20/30 %, clusters"] == "–"


def test_a_column_in_which_nothing_is_known_is_left_out() -> None:
    heads = [column.head for column in signal_columns(bake_off(faults=False))]
    assert heads == ["signal", "trusted rows", "forward passes", "time", "no score"]


def test_clean_shares_sort_by_their_mean() -> None:
    clean = next(column for column in signal_columns(FULL) if column.head.startswith("clean"))
    best = max(FULL["signals"], key=clean.value)
    assert best["signal"] == "gate"


def test_rows_without_a_score_are_all_counted_though_not_all_reasons_are_told() -> None:
    rows = [{**row, "scored": 1000} for row in FULL["signals"]]
    assert cells({**FULL, "signals": rows}, "gate")["no score"] == "1,000"


def test_reasons_are_told_once() -> None:
    found = reasons(signals(FULL))
    assert found["731 × no equation in the response"] == ["arithmetic"]
    assert found["10 × no response token left"][:2] == ["gate", "boost"]
    assert len(found) == 3


def test_aurocs_fault_by_fault() -> None:
    gate = FULL["signals"][0]
    found = {column.head: column.cell(gate) for column in fault_columns(FULL)}
    assert found["all faults"] == "0.971"
    assert found["number"] == f"{gate['by_fault']['number']:.2f}"
    assert {column.head: column.cell(gate | {"by_fault": None}) for column in fault_columns(FULL)}["number"] == "–"
