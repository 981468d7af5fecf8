from __future__ import annotations

import json
from typing import Any

import pytest

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.gain_chart import gain_chart


def rows(summary: dict[str, Any]) -> list[dict[str, Any]]:
    chart = gain_chart(summary, "20 % of rows")
    assert chart is not None
    tables = [layer["data"]["values"] for layer in chart.to_dict()["layer"] if "data" in layer]
    return max(tables, key=len)


@pytest.mark.parametrize(("metric", "scale", "label"), [("accuracy", 100, "+13.4"), ("loss", 1, "+0.134")])
def test_a_row_per_arm_the_best_first(metric: str, scale: float, label: str) -> None:
    summary = bake_off(metric)
    found = rows(summary)
    told = next(arm for arm in summary["arms"] if arm["arm"] == "gate, clusters")
    assert len(found) == 26
    assert found[0]["arm"] == told["arm"]
    assert found[0]["low"] == pytest.approx(scale * told["gain"]["low"])
    assert found[0]["label"] == label


def test_an_arm_without_a_gain_is_left_out() -> None:
    summary = bake_off()
    summary["arms"][2]["gain"] = None
    assert len(rows(summary)) == 25
    nothing = {**summary, "arms": [arm | {"gain": None} for arm in summary["arms"]]}
    assert gain_chart(nothing, "20 % of rows") is None


def test_what_is_within_noise_is_hollow() -> None:
    chart = gain_chart(bake_off(), "20 % of rows")
    assert chart is not None
    [fill] = [layer["encoding"]["fill"] for layer in chart.to_dict()["layer"] if "fill" in layer["encoding"]]
    assert fill["condition"] == {"test": "(datum.verdict === 'within noise')", "value": "var(--card)"}, json.dumps(fill)
