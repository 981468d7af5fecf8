from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.cost_chart import HUES, LINE, cost_chart, rule_colours

BUDGET = "20 % of rows"


def layers(summary: dict[str, Any]) -> list[dict[str, Any]]:
    chart = cost_chart(summary, BUDGET)
    assert chart is not None
    found = chart.to_dict()["layer"]
    assert isinstance(found, list)
    return found


def points(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    [table] = [layer["data"]["values"] for layer in layers(summary) if layer.get("name") == "dots"]
    return {row["arm"]: row for row in table}


def lines(summary: dict[str, Any]) -> list[dict[str, Any]]:
    [table] = [layer["data"]["values"] for layer in layers(summary) if layer.get("name") == "controls"]
    assert isinstance(table, list)
    return table


def test_a_point_for_every_arm_whose_cost_is_known() -> None:
    found = points(bake_off())
    assert len(found) == 24
    assert not any("deita" in arm for arm in found)
    assert found["gate, clusters"] | {"aside": 0} == {
        "arm": "gate, clusters", "rule": "clusters", "against": "random, with trusted rows", "verdict": "better",
        "name": "gate", "cost": 2.41, "gain": "+13.4 [+10.0, +16.8]", "hollow": False,
        "value": 0.6151, "low": 0.5861, "high": 0.6461, "aside": 0,
    }  # fmt: skip
    assert found["rds, plain"]["hollow"]


def test_no_two_points_of_one_cost_hide_each_other() -> None:
    places = [(row["cost"], row["aside"]) for row in points(bake_off()).values()]
    assert len(set(places)) == len(places)
    free = {name: row["aside"] for name, row in points(bake_off()).items() if row["cost"] == 0}
    assert sum(free.values()) == pytest.approx(0)


def test_zero_has_its_place_and_every_interval_room() -> None:
    encoding = next(layer["encoding"] for layer in layers(bake_off()) if layer.get("name") == "dots")
    assert encoding["x"]["scale"]["domain"][0] < 0 < 19.7 < encoding["x"]["scale"]["domain"][1]
    assert encoding["x"]["axis"]["values"] == [0, 1, 2, 5, 10, 20]
    low, high = encoding["y"]["scale"]["domain"]
    ends = [arm[key] for arm in bake_off()["arms"] if arm["forward_units"] is not None for key in ("low", "high")]
    assert low < min(ends) < max(ends) < high


def test_better_is_up_for_the_loss_too() -> None:
    def reverse(metric: str) -> bool:
        return bool(layers(bake_off(metric))[-1]["encoding"]["y"]["scale"]["reverse"])

    assert (reverse("accuracy"), reverse("loss")) == (False, True)


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_the_names_of_controls_do_not_meet(metric: str) -> None:
    found = lines(bake_off(metric))
    assert found[0]["name"].startswith("random, with trusted rows ")
    heights = sorted(line["height"] - line["lift"] for line in found)
    assert all(above - below >= LINE - 1e-9 for below, above in pairwise(heights))
    best = max(found, key=lambda line: line["height"])
    assert best["name"].startswith("random, with trusted rows")


def test_without_controls_costs_or_intervals() -> None:
    full = bake_off()
    alone = {**full, "arms": [arm for arm in full["arms"] if not arm["control"]]}
    assert [layer.get("name") for layer in layers(alone)] == [None, "dots", "labels"]
    bare = {**full, "arms": [arm | {"low": None, "high": None} for arm in full["arms"]]}
    assert all(row["low"] == row["value"] == row["high"] for row in points(bare).values())
    free = {**full, "arms": [arm | {"forward_units": None} for arm in full["arms"]]}
    assert cost_chart(free, BUDGET) is None


def test_every_rule_has_a_colour() -> None:
    assert rule_colours(bake_off()) == {"plain": HUES[0], "clusters": HUES[1]}
    arms = [{"control": False, "rule": f"rule {n}"} for n in range(9)]
    assert len(rule_colours({"arms": arms})) == 9
