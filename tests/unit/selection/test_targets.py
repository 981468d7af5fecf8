"""One target after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.selection.base import Decisions, Pool
from sluicegate.selection.targets import Targets, _in_turn

# The first target's cosines are all higher: by the best of both, it alone would be heard.
NEAR = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.0], [0.5, 0.35]], dtype=np.float32)
POOL = Pool(list("abcde"), {"rds": NEAR.max(1), "rds_targets": NEAR}, by="rds")


def select(pool: Pool, **budget: Any) -> Decisions:
    return Targets(build(Targets.Config, budget)).select(pool)


def test_every_target_takes_its_best_row_in_turn() -> None:
    decided = select(POOL, rows=3)
    assert decided.kept.tolist() == [True, True, False, False, True]
    assert [POOL.ids[row] for row in np.argsort(decided.rank)] == ["a", "e", "b", "c", "d"]
    assert decided.reason[4] == "among the 1 that target 2 of 2 took in turn by rds"
    assert decided.reason[3] == "not among the 2 that target 1 of 2 took in turn by rds"


def test_a_row_that_is_taken_is_the_next_targets_no_more() -> None:
    same = Pool(list("abcd"), {"x": np.arange(4.0), "x_targets": np.arange(4.0)[:, None].repeat(3, 1)}, by="x")
    decided = select(same, rows=4)
    assert [same.ids[row] for row in np.argsort(decided.rank)] == ["d", "c", "b", "a"]


def test_one_target_is_the_best_of_all() -> None:
    assert select(Pool(POOL.ids, {"x": NEAR[:, 1], "x_targets": NEAR[:, 1:]}, by="x"), rows=2).kept.tolist() == [
        False, False, True, False, True,
    ]  # fmt: skip


def test_a_signal_that_keeps_nothing_of_targets_is_refused() -> None:
    with pytest.raises(ConfigError, match="no column 'gate_targets'"):
        select(Pool(["a"], {"gate": np.zeros(1)}, by="gate"), rows=1)


@given(st.data())
def test_it_is_the_plain_loop(data: st.DataObject) -> None:
    n, m = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    turns = data.draw(st.integers(1, n))
    values = st.sampled_from([0.0, 0.5, 1.0, np.nan])
    scores = np.array(data.draw(st.lists(values, min_size=n * m, max_size=n * m))).reshape(n, m)
    left, taken = list(range(n)), []
    for turn in range(turns):
        own = np.nan_to_num(scores[:, turn % m], nan=-np.inf)
        taken.append(max(left, key=lambda row: (own[row], -row)))
        left.remove(taken[-1])
    assert _in_turn(scores, turns).tolist() == taken
