"""The formula of LESS, on numbers that can be followed by hand, and what it is said to cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sluicegate.scoring.base import Shard
from sluicegate.scoring.less import Cost, Less, combine, cosines


def test_cosines_know_no_length() -> None:
    found = cosines(np.array([[3.0, 4.0], [0.0, 0.1]]), np.array([[10.0, 0.0], [0.0, -2.0], [1.0, 1.0]]))
    assert found == pytest.approx(np.array([[0.6, -0.8, 7 / 50**0.5], [0.0, -1.0, 0.5**0.5]]))


def test_a_row_without_a_direction_has_no_cosine() -> None:
    found = cosines(np.array([[0.0, 0.0], [np.nan, 1.0], [1.0, 0.0]]), np.array([[1.0, 0.0]]))
    assert np.isnan(found[:2]).all()
    assert found[2] == 1


def test_checkpoints_count_by_learning_rate_and_the_best_task_counts(make_shard: Callable[..., Shard]) -> None:
    """Two checkpoints at rates 3 and 1, two rows, two tasks; the mean is over checkpoints, before the best is taken."""
    at_first, at_second = [[0.4, 0.0], [-0.2, -0.4]], [[0.0, 0.8], [-0.6, 0.8]]
    by_task = combine(np.array([at_first, at_second]), np.array([3e-4, 1e-4]))
    assert by_task == pytest.approx(np.array([[0.3, 0.2], [-0.3, -0.1]]))
    shard = make_shard([1, 1])
    shard = replace(shard, learned=dict(zip([row["id"] for row in shard.records], by_task.tolist(), strict=True)))
    assert Less().score(shard, None) == pytest.approx([0.3, -0.1])
    assert Less().further(shard, None)["targets"] == pytest.approx(by_task)


def test_the_cost_of_a_paper_sized_run() -> None:
    """Four epochs over a twentieth of the rows, and a forward and a backward pass of every row at four checkpoints.

    Of an adapter of 1 %: 4 * 1.05 * 2.03 = 8.526. Each row's 8192 dimensions of that 1 % are 82 tokens' worth, at 500
    tokens a row: 4 * 81.92 / 500 = 0.655.
    """
    cost = Cost(1000, 500_000, 0, 0, 25_000, epochs=4, adapter_share=0.01, width=8192)
    assert cost.forward_units() == pytest.approx(8.526 + 0.65536)


def test_trusted_rows_cost_what_other_rows_do() -> None:
    half = Cost(100, 1000, 0, 0, 0, epochs=1, adapter_share=0.0, width=64)
    both = Cost(100, 1000, 100, 1000, 0, epochs=1, adapter_share=0.0, width=64)
    assert both.forward_units() == 2 * half.forward_units() == 4
