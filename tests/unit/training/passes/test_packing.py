"""Rows end to end."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.models.encode import Encoded
from sluicegate.training.passes.packing import balanced, pack


def test_positions_begin_anew_with_every_row_and_nothing_is_padding() -> None:
    rows = [Encoded("a", [5, 6, 7], [(2, 3)], 0, 0), Encoded("b", [8, 9], [(1, 2)], 0, 0)]
    packed = {name: values.tolist() for name, values in pack(rows).items()}
    assert packed == {
        "input_ids": [[5, 6, 7, 8, 9]],
        "labels": [[-100, -100, 7, -100, 9]],
        "position_ids": [[0, 1, 2, 0, 1]],
    }


def test_passes_of_a_step_have_about_as_many_tokens() -> None:
    n_tokens = [9, 1, 1, 1, 8, 2, 2, 8]
    assert balanced(range(8), n_tokens, step=4, room=2) == [0, 3, 1, 2, 4, 5, 7, 6]
    assert balanced(range(8), n_tokens, step=8, room=2) == [0, 3, 4, 1, 7, 2, 5, 6]


@given(n_tokens=st.lists(st.integers(1, 50), min_size=1, max_size=40), room=st.integers(1, 4), passes=st.integers(1, 4))
def test_every_step_keeps_its_rows(n_tokens: list[int], room: int, passes: int) -> None:
    order, step = list(range(len(n_tokens)))[::-1], room * passes
    found = balanced(order, n_tokens, step, room)
    for at in range(0, len(order), step):
        assert Counter(found[at : at + step]) == Counter(order[at : at + step])
