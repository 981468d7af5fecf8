from __future__ import annotations

import pytest

from sluicegate.training.schedule import Schedule


def test_the_rate_rises_stays_and_falls() -> None:
    plan = Schedule(steps=100, warmup_steps=10, decay_share=0.6, learning_rate=1.0)
    assert [plan.rate(s) for s in (0, 4, 9, 10, 40)] == pytest.approx([0.1, 0.5, 1, 1, 1])
    assert [plan.rate(s) for s in (41, 70, 99)] == pytest.approx([59 / 60, 0.5, 1 / 60])


def test_a_run_shorter_than_its_warm_up_still_trains() -> None:
    plan = Schedule(steps=3, warmup_steps=50, learning_rate=1.0)
    assert all(0 < plan.rate(s) < 0.1 for s in range(3))


def test_a_batch_counts_its_tokens() -> None:
    assert Schedule(batch_rows=3, row_tokens=10).batch_tokens == 30
