from __future__ import annotations

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.charts import charts


def test_two_pictures_per_budget_and_one_of_the_faults() -> None:
    drawn = charts(bake_off())
    assert set(drawn) == {"faults", "cost-0", "gains-0", "cost-1", "gains-1"}
    assert all(spec["width"] == "container" for spec in drawn.values())


def test_the_unknown_is_not_drawn() -> None:
    assert set(charts(bake_off(arms=False))) == {"faults"}
    assert charts(bake_off(arms=False, faults=False)) == {}
    full = bake_off()
    free = {**full, "arms": [arm | {"forward_units": None} for arm in full["arms"]]}
    assert set(charts(free)) == {"faults", "gains-0", "gains-1"}
