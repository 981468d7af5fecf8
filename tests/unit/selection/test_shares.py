from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.selection.shares import even, proportional, weighted

SIZES = st.lists(st.integers(1, 50), min_size=1, max_size=12)


@pytest.mark.parametrize("divide", [proportional, even])
@given(sizes=SIZES, part=st.floats(0, 1))
def test_shares_add_up_and_fit(divide: Callable[..., np.ndarray], sizes: list[int], part: float) -> None:
    budget = round(part * sum(sizes))
    shares = divide(np.array(sizes), budget)
    assert shares.sum() == budget
    assert (shares >= 0).all()
    assert (shares <= sizes).all()


@given(sizes=SIZES, part=st.floats(0, 1), weights=st.lists(st.floats(1e-3, 1e3), min_size=12, max_size=12))
def test_weighted_shares_add_up_fit_and_go_by_weight(sizes: list[int], part: float, weights: list[float]) -> None:
    budget, by = round(part * sum(sizes)), np.array(weights[: len(sizes)])
    shares = weighted(np.array(sizes), by, budget)
    assert shares.sum() == budget
    assert (shares <= sizes).all()
    open_groups = shares < sizes
    per_weight = (shares / by)[open_groups]
    slack = 2 / by[open_groups].min() if open_groups.any() else 0
    assert not open_groups.any() or per_weight.max() - per_weight.min() <= slack + 1e-9


@given(sizes=SIZES, part=st.floats(0, 1))
def test_proportional_shares_are_within_one_row_of_exact(sizes: list[int], part: float) -> None:
    budget = round(part * sum(sizes))
    exact = np.array(sizes) * budget / sum(sizes)
    assert (abs(proportional(np.array(sizes), budget) - exact) < 1 + 1e-9).all()


@given(sizes=SIZES, part=st.floats(0, 1))
def test_even_shares_differ_by_one_at_most_unless_a_group_ran_out(sizes: list[int], part: float) -> None:
    shares = even(np.array(sizes), round(part * sum(sizes)))
    open_shares = shares[shares < sizes]
    assert open_shares.size == 0 or shares.max() - open_shares.min() <= 1


def test_by_hand() -> None:
    assert proportional(np.array([5, 3, 2]), 4).tolist() == [2, 1, 1]
    assert proportional(np.array([1, 1, 1]), 1).tolist() == [1, 0, 0]
    assert even(np.array([100, 2, 30]), 30).tolist() == [14, 2, 14]
    assert even(np.array([2, 2, 2]), 4).tolist() == [1, 1, 2]
