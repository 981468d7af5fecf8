from __future__ import annotations

from pathlib import Path

from fake_runs import FakeRuns
from sluicegate.reporting.curves import curves
from sluicegate.reporting.lineage import trace_arms


def test_a_curve_has_the_steps_that_all_seeds_have(tmp_path: Path) -> None:
    """One seed was stopped early."""
    runs = FakeRuns(tmp_path / "store")
    told = [{"curve": [{"step": step, "loss": seed} for step in range(1, 3 - seed)]} for seed in (0, 1)]
    made = [runs.evaluation("all", seed, 0.5, runs.pool, record=told[seed]) for seed in (0, 1)]
    assert curves(trace_arms({"a": made})) == [{"arm": "a", "split": "train", "points": [[1, 0.5]]}]


def test_models_without_such_a_record_have_none(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    pretrained = runs.evaluation("all", 0, 0.5, runs.pool, record={"loss_curve": [3.0, 2.0]})
    assert curves(trace_arms({"bought": [runs.bought(0.5)], "pretrained": [pretrained]})) == []
