from __future__ import annotations

from typing import Any

import pytest

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.arm_columns import arm_columns, gain, verdict


def cells(summary: dict[str, Any], name: str) -> dict[str, str]:
    row = next(arm for arm in summary["arms"] if arm["arm"] == name)
    return {column.head: column.cell(row) for column in arm_columns(summary)}


def test_an_arm_in_words() -> None:
    assert cells(bake_off(), "gate, clusters") == {
        "arm": "gate, clusters",
        "accuracy (95 %)": "61.5 % [58.6, 64.6]",
        "gain in points (95 %)": "+13.4 [+10.0, +16.8]",
        "verdict": "among the best",
        "forward passes": "2.41",
        "time": "12.5 s",
        "against": "random, with trusted rows",
        "rows": "550",
        "label tokens": "33,430",
        "steps": "160",
        "seeds": "5",
    }


def test_a_control_gains_nothing() -> None:
    found = cells(bake_off(), "random")
    assert {found[head] for head in ("gain in points (95 %)", "verdict", "against")} == {"–"}


def test_losses_fall_and_gains_are_still_above_zero() -> None:
    found = cells(bake_off("loss"), "gate, clusters")
    assert found["loss (95 %)"] == "1.485 [1.456, 1.516]"
    assert found["gain in nats (95 %)"] == "+0.134 [+0.100, +0.168]"
    [meaning] = [column.meaning for column in arm_columns(bake_off("loss")) if column.head.startswith("gain")]
    assert "in nats; above 0 is better" in meaning


def test_an_unknown_gain() -> None:
    assert gain({"gain": None}, "accuracy") == "–"


@pytest.mark.parametrize(
    ("said", "ties", "told"),
    [
        ("better", True, "among the best"),
        ("better", False, "better"),
        ("within noise", None, "within noise"),
        (None, None, None),
    ],
)
def test_the_best_are_those_not_told_apart(said: str | None, ties: bool | None, told: str | None) -> None:
    assert verdict({"verdict": said, "ties_with_best": ties}) == told
    assert verdict({"verdict": said}) == said
