from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.evaluation.several import majority, pass_at_k


@given(verdicts=st.lists(st.booleans(), min_size=1, max_size=8), data=st.data())
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_one(verdicts: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(verdicts)))
    counted = statistics.mean(any(some) for some in itertools.combinations(verdicts, k))
    assert pass_at_k(len(verdicts), sum(verdicts), k) == pytest.approx(counted)


@pytest.mark.parametrize(
    ("answers", "place"),
    [
        (["7"], 0),
        (["8", "7", "7"], 1),
        (["7", "8"], 0),
        (["7", "X Y", "xy"], 1),
        ([None, None, "9"], 2),
        ([None], None),
        ([], None),
    ],
)
def test_the_most_frequent_answer_speaks_for_all(answers: list[str | None], place: int | None) -> None:
    assert majority(answers) == place
