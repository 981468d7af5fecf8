from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.evaluation.stats import Interval, auroc, mean_interval, paired_difference, r_precision, simultaneous


def answers(seeds: int, questions: int, rate: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((seeds, questions)) < rate


def test_interval_holds_the_mean_and_repeats() -> None:
    correct = answers(3, 300, 0.6)
    found = mean_interval(correct)
    assert found.low < found.mean < found.high
    assert found.mean == pytest.approx(correct.mean())
    assert found == mean_interval(correct)


def test_one_seed_gives_the_binomial_interval() -> None:
    found = mean_interval(answers(1, 1000, 0.5))
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / 1000**0.5, rel=0.08)


def test_seeds_that_disagree_widen_the_interval() -> None:
    same = np.repeat(answers(1, 200, 0.5), 4, axis=0)
    rates = np.array([0.2, 0.4, 0.6, 0.8])[:, None]
    apart = np.random.default_rng(1).random((4, 200)) < rates
    assert np.ptp(mean_interval(apart)[1:]) > 1.5 * np.ptp(mean_interval(same)[1:])


def test_sure_answers_have_no_width() -> None:
    assert mean_interval([[1, 1], [1, 1]]) == (1.0, 1.0, 1.0)


def test_difference_of_an_arm_to_itself_is_zero() -> None:
    correct = answers(3, 50, 0.5)
    assert paired_difference(correct, correct) == (0.0, 0.0, 0.0)


def test_pairing_takes_out_what_the_questions_share() -> None:
    hard = np.random.default_rng(0).random(400) < 0.5
    better = hard | (np.random.default_rng(1).random(400) < 0.1)
    found = paired_difference([better], [hard])
    assert found.low > 0
    assert found.high - found.low < np.ptp(mean_interval([hard])[1:])


@pytest.mark.parametrize("seeds", [(1, 3), (3, 1), (5, 2)])
def test_arms_with_different_numbers_of_seeds(seeds: tuple[int, int]) -> None:
    good, poor = answers(seeds[0], 400, 0.7, seed=1), answers(seeds[1], 400, 0.4, seed=2)
    found = paired_difference(good, poor)
    assert 0 < found.low < good.mean() - poor.mean() < found.high
    assert found == paired_difference(good, poor)


def test_different_seed_numbers_still_share_the_questions() -> None:
    hard = np.random.default_rng(0).random(400) < 0.5
    assert paired_difference([hard], [hard, hard]) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_weights_count_questions_as_often_as_they_say() -> None:
    losses, weights = np.random.default_rng(0).random((3, 40)), np.arange(1, 41)
    found = mean_interval(losses, weights)
    assert found.mean == pytest.approx((losses.mean(axis=0) * weights).sum() / weights.sum())
    assert found.low < found.mean < found.high
    assert mean_interval(losses, np.full(40, 7)) == pytest.approx(mean_interval(losses), abs=1e-12)


@pytest.mark.parametrize("seeds", [3, 2])
def test_a_weighted_difference_is_that_of_the_weighted_means(seeds: int) -> None:
    rng, weights = np.random.default_rng(0), np.arange(1, 41)
    one, other = rng.random((3, 40)), rng.random((seeds, 40)) + 1
    found = paired_difference(one, other, weights)
    assert found.mean == pytest.approx(mean_interval(one, weights).mean - mean_interval(other, weights).mean)
    assert found.low < found.mean < found.high < 0


def test_weights_that_differ_alone_give_a_sure_mean_no_width() -> None:
    assert mean_interval([[2.0] * 30], np.arange(1, 31)) == pytest.approx((2.0, 2.0, 2.0))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    hits = [np.ptp(i[1:]) > 0 and i.low <= 0.5 <= i.high for i in map(_fresh_world, range(60))]
    assert sum(hits) >= 50


def _fresh_world(seed: int) -> Interval:
    return mean_interval(answers(5, 60, 0.5, seed))


@pytest.mark.parametrize("bad", [[], [1, 0], [[]]])
def test_what_is_no_matrix_is_refused(bad: list) -> None:
    with pytest.raises(ValueError, match="seeds × questions"):
        mean_interval(bad)


def test_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="3 questions against 2"):
        paired_difference([[1, 0, 1]], [[1, 0]])


scored_rows = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=60)


@settings(deadline=None)  # the first example imports scikit-learn
@given(scored_rows.filter(lambda rows: len({good for _, good in rows}) == 2))
def test_auroc_equals_scikit_learns(rows: list[tuple[int, bool]]) -> None:
    from sklearn.metrics import roc_auc_score

    scores, good = zip(*rows, strict=True)
    assert auroc(scores, good) == pytest.approx(roc_auc_score(good, scores))


def test_auroc_leaves_unscored_rows_out() -> None:
    nan = float("nan")
    assert auroc([nan, 2.0, 1.0, nan], [False, True, False, True]) == 1.0


@pytest.mark.parametrize(
    ("scores", "good"), [([], []), ([1.0, 2.0], [True, True]), ([float("nan"), 1.0], [True, False])]
)
def test_auroc_of_one_class_is_nan(scores: list[float], good: list[bool]) -> None:
    assert np.isnan(auroc(scores, good))


def nothings(arms: int, world: int) -> list[np.ndarray]:
    """Differences of arms that do nothing, (seeds, questions) each."""
    rng = np.random.default_rng(world)
    return [rng.normal(0, 1, (1, 120)) for _ in range(arms)]


def test_one_difference_alone_has_about_its_own_interval() -> None:
    (one,) = nothings(1, 0)
    alone, together = mean_interval(one), simultaneous([one])[0]
    assert together.mean == alone.mean
    assert np.ptp(together[1:]) == pytest.approx(np.ptp(alone[1:]), rel=0.05)


def test_among_many_arms_that_do_nothing_hardly_ever_is_one_outside() -> None:
    worlds = [nothings(20, world) for world in range(30)]
    alone = sum(any(i.low > 0 or i.high < 0 for i in map(mean_interval, arms)) for arms in worlds)
    together = sum(any(i.low > 0 or i.high < 0 for i in simultaneous(arms)) for arms in worlds)
    assert together <= 4 < alone, "twenty intervals of 95 % let one in nearly every world win by chance"


def test_what_is_real_is_still_seen_among_many() -> None:
    arms = [*nothings(20, 1), nothings(1, 2)[0] + 0.5]
    found = simultaneous(arms)
    assert found[-1].low > 0


def test_differences_that_never_differ_have_no_width() -> None:
    same = np.full((2, 10), 0.25)
    assert simultaneous([same]) == [Interval(0.25, 0.25, 0.25)]
    assert simultaneous([same, *nothings(1, 3)])[0] == (0.25, 0.25, 0.25)


def test_r_precision_is_the_share_of_bad_rows_among_as_many_lowest() -> None:
    good = [False, False, True, True]
    assert r_precision([0, 1, 2, 3], good) == 1.0
    assert r_precision([0, 2, 1, 3], good) == 0.5
    assert r_precision([3, 2, 1, 0], good) == 0.0


def test_r_precision_counts_a_tie_at_the_border_in_part() -> None:
    assert r_precision([0, 1, 1, 1], [True, False, False, True]) == pytest.approx((2 / 3) / 2)


def test_r_precision_leaves_out_rows_without_a_score() -> None:
    assert r_precision([np.nan, 0, 1], [False, False, True]) == 1.0
    assert np.isnan(r_precision([0, 1], [True, True]))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_r_precision_is_a_share_whatever_the_order(rows: list[tuple[int, bool]]) -> None:
    found = r_precision(*zip(*rows, strict=True))
    assert np.isnan(found) == all(good for _, good in rows)
    if not np.isnan(found):
        assert 0 <= found <= 1
        assert found == pytest.approx(r_precision(*zip(*reversed(rows), strict=True)))


@pytest.mark.parametrize("n_seeds", [2, 3])
def test_among_many_arms_that_differ_by_their_seeds_alone_hardly_ever_is_one_outside(n_seeds: int) -> None:
    rng = np.random.default_rng(n_seeds)
    outside = 0
    for _ in range(40):
        control = rng.normal(0, 0.02, (n_seeds, 1)) + rng.normal(0, 0.1, (n_seeds, 100))
        arms = [rng.normal(0, 0.02, (n_seeds, 1)) + rng.normal(0, 0.1, (n_seeds, 100)) for _ in range(8)]
        found = simultaneous([arm - control for arm in arms])
        outside += any(low > 0 or high < 0 for _, low, high in found)
    assert outside <= 8, "losses hang on the seed more than on the question, and are few"


def test_an_arm_trained_once_borrows_the_seed_noise_of_the_others() -> None:
    seeds = np.array([[0.0], [0.1], [0.2]])
    often, once = seeds + np.zeros((3, 50)), np.full((1, 50), 0.05)
    assert simultaneous([once])[0].low == pytest.approx(0.05)
    assert simultaneous([once, often])[0].low < 0
