from __future__ import annotations

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.fault_chart import ALL, fault_chart


def test_a_cell_for_every_signal_and_fault() -> None:
    full = bake_off()
    chart = fault_chart(full)
    assert chart is not None
    spec = chart.to_dict()
    cells = {(row["signal"], row["fault"]): row for row in spec["data"]["values"]}
    assert len(cells) == 13 * 8
    assert cells["gate", "number"]["auroc"] == full["signals"][0]["by_fault"]["number"]
    assert cells["gate", ALL]["label"] == "0.97"
    assert spec["height"] == 13 * 30


def test_an_unknown_number_has_no_cell_and_no_number_no_chart() -> None:
    full = bake_off()
    full["signals"][0]["by_fault"]["number"] = None
    chart = fault_chart(full)
    assert chart is not None
    assert len(chart.to_dict()["data"]["values"]) == 13 * 8 - 1
    assert fault_chart(bake_off(faults=False)) is None
