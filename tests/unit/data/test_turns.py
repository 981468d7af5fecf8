from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.turns import divide, hold, merge, take_turns


@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_every_prefix_has_its_part_of_every_cell(sizes: list[int], seed: int) -> None:
    cells = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    order = take_turns(cells, np.ones(len(cells)), np.random.default_rng(seed))
    assert sorted(order) == list(range(len(cells)))
    for cell, size in enumerate(sizes):
        so_far = (cells[order] == cell).cumsum()
        assert abs(so_far - size * np.arange(1, len(cells) + 1) / len(cells)).max() <= len(sizes)


def test_a_cell_of_weight_3_comes_three_times_as_often_until_it_is_empty() -> None:
    cells = np.repeat([0, 1], [30, 60])
    order = take_turns(cells, np.where(cells == 0, 3.0, 1.0), np.random.default_rng(0))
    assert abs((cells[order][:40] == 0).sum() - 24) <= 1, "90 to 60"
    assert (cells[order][52:] == 1).all()


def test_rows_of_a_cell_come_in_an_order_of_chance() -> None:
    cells = np.zeros(50, dtype=int)
    one, other = (take_turns(cells, np.ones(50), np.random.default_rng(seed)).tolist() for seed in (0, 1))
    assert one != other
    assert one != sorted(one)


@given(sizes=st.lists(st.integers(0, 30), min_size=1, max_size=4).filter(any))
def test_merged_streams_are_each_spread_evenly(sizes: list[int]) -> None:
    streams = [np.full(n, number) for number, n in enumerate(sizes)]
    merged = merge(streams)
    for number, n in enumerate(sizes):
        so_far = (merged == number).cumsum()
        assert abs(so_far - n * np.arange(1, len(merged) + 1) / len(merged)).max() <= len(sizes) / 2


@given(counts=st.lists(st.integers(0, 8), min_size=1, max_size=60), start=st.floats(-0.9, 0.9))
def test_one_drift_is_always_held(counts: list[int], start: float) -> None:
    """Batches of 8 rows, and how many of each are of one language: about 0 in all, in any order."""
    drift = np.array(counts) - np.mean(counts)
    order = hold(drift[:, None], np.array([start]), 8)
    assert sorted(order) == list(range(len(counts)))
    assert abs(start + drift[order].cumsum()).max() <= 8 + 1


def test_early_batches_stay_early_where_nothing_goes_too_far() -> None:
    drift = np.array([[1.0], [-1.0]] * 10)
    assert hold(drift, np.zeros(1), 2) == list(range(20))
    assert hold(np.zeros((5, 0)), np.zeros(0), 2) == list(range(5))
    assert hold(np.array([[2.0], [2.0], [-2.0], [-2.0]]), np.zeros(1), 2) == [0, 2, 1, 3]


@given(
    exact=st.lists(st.floats(-0.9, 50), min_size=1, max_size=5).filter(lambda x: max(x) > 1e-3), n=st.integers(1, 99)
)
def test_whole_parts_add_up_and_stay_close(exact: list[float], n: int) -> None:
    parts = np.array(exact)
    whole = divide(parts, n, first=np.zeros(len(parts)))
    scaled = np.maximum(parts, 0) * n / np.maximum(parts, 0).sum()
    assert whole.sum() == n
    assert abs(whole - scaled).max() < 1 + 1e-6


def test_those_named_first_are_rounded_up() -> None:
    assert divide(np.array([2.1, 3.9]), 6, first=np.array([True, False])).tolist() == [3, 3]
    assert divide(np.array([2.1, 3.9]), 6, first=np.array([False, False])).tolist() == [2, 4]
