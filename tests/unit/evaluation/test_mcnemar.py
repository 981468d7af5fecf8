from __future__ import annotations

import pytest

from sluicegate.evaluation.mcnemar import mcnemar


@pytest.mark.parametrize(("wins", "losses"), [(0, 1), (3, 3), (1, 9), (12, 5), (140, 100), (4000, 4300)])
def test_it_is_the_binomial_test_of_a_fair_coin(wins: int, losses: int) -> None:
    binomtest = pytest.importorskip("scipy.stats").binomtest
    assert mcnemar(wins, losses) == pytest.approx(binomtest(wins, wins + losses).pvalue, rel=1e-9)


def test_by_hand() -> None:
    assert mcnemar(5, 0) == 2 / 32
    assert mcnemar(1, 4) == 2 * (1 + 5) / 32


def test_both_ways_alike() -> None:
    assert mcnemar(7, 2) == mcnemar(2, 7)


def test_without_a_question_that_tells_them_apart_nothing_is_known() -> None:
    assert mcnemar(0, 0) == 1.0
