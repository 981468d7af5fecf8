"""The middle of the scores."""

from __future__ import annotations

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.selection.base import Decisions, Pool
from sluicegate.selection.middle import Middle


@pytest.mark.parametrize(
    ("center", "kept"),
    [(0.5, [False, True, True, True, False]), (0.0, [True] * 3 + [False] * 2), (1.0, [False] * 2 + [True] * 3)],
)
def test_the_nearest_to_a_quantile_are_kept(center: float, kept: list[bool]) -> None:
    decided = middle([0.0, 10.0, 11.0, 12.0, 500.0], center)
    assert decided.kept.tolist() == kept


def test_of_two_equally_far_the_higher_comes_first() -> None:
    assert middle([1.0, 2.0, 3.0], 0.5).rank.tolist() == [2, 0, 1]


def middle(scores: list[float], center: float) -> Decisions:
    rule = Middle(build(Middle.Config, {"rows": 3, "center": center}))
    return rule.select(Pool(list("abcdefg"[: len(scores)]), {"x": np.array(scores)}, by="x"))
