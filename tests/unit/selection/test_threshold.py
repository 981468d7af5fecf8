"""High enough, however many those are."""

from __future__ import annotations

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.selection.base import Decisions, Pool
from sluicegate.selection.threshold import Threshold

POOL = Pool(list("abcd"), {"x": np.array([2.0, np.nan, 0.5, 1.0])}, by="x")


def over(**options: float) -> Decisions:
    return Threshold(build(Threshold.Config, options)).select(POOL)


def test_all_that_are_high_enough_are_kept_without_a_budget() -> None:
    decided = over(at_least=1.0)
    assert decided.kept.tolist() == [True, False, False, True], "the score itself is high enough"
    assert decided.reason[0] == "among the 2 best of 2 with x >= 1"
    assert decided.rank.tolist() == [0, 3, 2, 1]


def test_a_budget_keeps_the_best_of_them() -> None:
    assert over(at_least=0.5, rows=1).kept.tolist() == [True, False, False, False]
    assert over(at_least=1.0, rows=3).kept.sum() == 2, "and never one that is too low"


def test_none_may_be_high_enough() -> None:
    assert not over(at_least=9.0).kept.any()


def test_two_budgets_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="at most one budget"):
        over(rows=1, fraction=0.5)
