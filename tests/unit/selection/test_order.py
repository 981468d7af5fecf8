"""Rows in order."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from sluicegate.selection.order import apart, best_first, by_id, in_turns, kinds


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12), unique=True))
@example(["0123456789abcdef", "0123456789abcdef.2", "01234567", "0123456789abcdee", ""])
@example(["Бa", "Āb", "b", "12345678Б", "12345678Ā"])
def test_ids_are_in_the_order_of_their_letters(ids: list[str]) -> None:
    assert [ids[row] for row in by_id(np.array(ids, dtype=str))] == sorted(ids)


def test_ids_of_a_view_are_read_as_they_stand() -> None:
    assert by_id(np.array(["b", "x", "a", "y"])[::2]).tolist() == [1, 0]


@given(st.lists(st.sampled_from([0.0, 1.0, -2.0, np.nan])))
def test_equal_scores_stay_in_order_and_none_comes_last(score: list[float]) -> None:
    wanted = sorted(range(len(score)), key=lambda row: -np.nan_to_num(score[row], nan=-np.inf))
    assert best_first(np.array(score)).tolist() == wanted


def test_kinds_are_named_and_their_rows_taken_apart_in_their_order() -> None:
    names, member = kinds(np.array(["b", "a", "b", "c", "a"], dtype=object))
    assert (names, member.tolist()) == (["a", "b", "c"], [1, 0, 1, 2, 0])
    found = apart(np.array([4, 3, 2, 1, 0]), member)
    assert [rows.tolist() for rows in found] == [[4, 1], [2, 0], [3]]


def test_the_longer_order_has_its_turn_more_often() -> None:
    orders = [np.array([10, 11, 12, 13]), np.array([20, 21])]
    assert in_turns(orders, [slice(None)] * 2).tolist() == [10, 20, 11, 12, 21, 13]
    assert in_turns(orders, [slice(2, None), slice(1, None)]).tolist() == [12, 21, 13]
    assert in_turns([], []).tolist() == []
