from __future__ import annotations

import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.training.scratch.schedule import Schedule


def test_a_trapezoid_rises_stays_and_falls() -> None:
    plan = Schedule(steps=100, warmup_steps=10, decay_share=0.6, learning_rate=1.0)
    assert [plan.rate(s) for s in (0, 4, 9, 10, 40)] == pytest.approx([0.1, 0.5, 1, 1, 1])
    assert [plan.rate(s) for s in (41, 70, 99)] == pytest.approx([59 / 60, 0.5, 1 / 60])


def test_a_cosine_is_highest_when_the_warm_up_ends_and_ends_with_the_last_step() -> None:
    plan = Schedule(steps=110, warmup_steps=10, schedule="cosine", final_share=0.1, learning_rate=1.0)
    assert [plan.rate(s) for s in (0, 9, 59, 109)] == pytest.approx([0.1, 1, 0.55, 0.1])
    rates = [plan.rate(s) for s in range(9, 110)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("schedule", ["trapezoid", "cosine"])
def test_a_run_shorter_than_its_warm_up_still_trains(schedule: str) -> None:
    plan = build(Schedule, {"steps": 3, "warmup_steps": 50, "learning_rate": 1.0, "schedule": schedule})
    assert all(0 < plan.rate(s) < 0.1 for s in range(3))


def test_a_batch_counts_its_tokens() -> None:
    assert Schedule(batch_rows=3, row_tokens=10).batch_tokens == 30


def test_float16_skips_steps_of_one_optimizer_only() -> None:
    with pytest.raises(ConfigError, match="take adamw"):
        build(Schedule, {"dtype": "float16"})
    assert build(Schedule, {"dtype": "float16", "optimizer": "adamw"}).optimizer == "adamw"
