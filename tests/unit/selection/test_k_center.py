"""The chosen cover the prompts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluicegate.config import build
from sluicegate.selection.base import Decisions, Pool
from sluicegate.selection.k_center import KCenter

STATES = np.array([[0, 0], [0.1, 0], [9, 0], [9.1, 0], [0, 5], [0, 5]], dtype=np.float32)
POOL = Pool(list("abcdef"), {"x": np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0]), "prompt_state": STATES}, by="x")


def covered(**options: Any) -> Decisions:
    return KCenter(build(KCenter.Config, options)).select(POOL)


def test_each_next_one_is_the_farthest_from_all_before() -> None:
    assert covered(rows=3, among=2).rank.tolist() == [0, 3, 4, 1, 2, 5]
    assert covered(rows=3, among=2).kept.tolist() == [True, False, False, True, True, False]


def test_among_one_is_the_best() -> None:
    assert covered(rows=3, among=1).kept.tolist() == [True] * 3 + [False] * 3


def test_copies_of_a_prompt_are_taken_last_and_still_make_up_the_number() -> None:
    assert covered(rows=6).kept.all()
    assert covered(rows=5, among=2).kept.tolist() == [True] * 5 + [False]
