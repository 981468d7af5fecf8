from __future__ import annotations

import csv
from io import StringIO

from fake_bake_off import bake_off, renamed
from sluicegate.reporting.bake_off import csv_tables

FULL = bake_off()


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


def test_one_value_in_a_cell_with_all_its_digits() -> None:
    rows = read(csv_tables(FULL)["signals"])
    assert [row["signal"] for row in rows][:2] == ["gate", "boost"]
    gate, told = rows[0], FULL["signals"][0]
    assert float(gate["auroc number"]) == told["by_fault"]["number"]
    assert float(gate["precision swap"]) == told["precision_by_fault"]["swap"]
    assert float(gate["clean clusters 0.2"]) == told["clean_share"]["clusters"]["0.2"]
    assert (gate["scored"], gate["unscored no response token left"]) == ("1990", "10")


def test_arms_keep_their_order_and_tell_every_seed() -> None:
    rows = read(csv_tables(FULL)["arms"])
    assert [row["arm"] for row in rows] == [arm["arm"] for arm in FULL["arms"]]
    for row, arm in zip(rows, FULL["arms"], strict=True):
        assert [float(row[f"seed_{n}"]) for n in range(1, 6)] == arm["per_seed"]
        assert row["gain_mean"] == ("" if arm["gain"] is None else str(arm["gain"]["mean"]))


def test_the_unknown_is_empty() -> None:
    rows = {row["signal"]: row for row in read(csv_tables(bake_off(faults=False))["signals"])}
    assert rows["deita"]["forward_units"] == rows["gate"]["auroc"] == ""
    assert set(csv_tables(bake_off(arms=False))) == {"signals"}


def test_a_comma_a_quote_and_a_line_break_stay_in_their_cell() -> None:
    name = 'a, "b"\nc 苹果'
    assert read(csv_tables(renamed(FULL, {"gate": name}))["signals"])[0]["signal"] == name


def test_losses_stand_under_their_name() -> None:
    rows = read(csv_tables(bake_off("loss"))["arms"])
    assert "accuracy" not in rows[0]
    assert float(rows[0]["loss"]) == bake_off("loss")["arms"][0]["loss"]
