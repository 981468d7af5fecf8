from __future__ import annotations

import numpy as np

from sluicegate.config import build
from sluicegate.selection.base import Pool
from sluicegate.selection.top_k import TopK


def test_best_first_and_ties_by_id() -> None:
    pool = Pool(["d", "c", "b", "a"], {"gate": np.array([1.0, 5.0, 1.0, 1.0])}, by="gate")
    decided = TopK(build(TopK.Config, {"rows": 2})).select(pool)
    assert decided.rank.tolist() == [3, 0, 2, 1]
    assert decided.kept.tolist() == [False, True, False, True]
    assert decided.reason.tolist()[:2] == ["not among the best 2 of 4 by gate", "among the best 2 of 4 by gate"]


def test_infinite_scores_are_scores() -> None:
    pool = Pool(["a", "b", "c"], {"gate": np.array([-np.inf, 0.0, np.inf])}, by="gate")
    assert TopK(build(TopK.Config, {"rows": 3})).select(pool).rank.tolist() == [2, 1, 0]
