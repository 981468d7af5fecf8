"""The pigeonhole bootstrap (Owen, arXiv 0712.1111): intervals over training seeds and questions at once; and rankings.

A measured arm is a matrix, (seeds, questions): 0/1 for right and wrong, or the loss of every gold reply. Questions are
drawn with replacement, and so are seeds, for another training run and another test set would both have given another
number. Resampling only one of the two gives intervals that are too narrow. What no bootstrap can see is the seed noise
of an arm that was trained once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 4000
CHUNK = 500  # draws in memory at once: 500 × questions counts
TAILS = (2.5, 97.5)
ROUNDING = 1e-9
NORMAL = 1.96
"""Standard errors either way, where no question tells the differences apart."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_interval(values: ArrayLike, weights: ArrayLike | None = None) -> Interval:
    """Mean of one arm, (seeds, questions); the same matrix always gives the same interval.

    Args:
        values: accuracy or loss of every question under every seed.
        weights: how much each question counts, (questions,), such as its label tokens; None counts all alike.
    """
    matrix = _matrix(values)  # (S, Q)
    return _interval(_mean(matrix, weights), np.concatenate(list(_draws(matrix, weights))))


def paired_difference(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None = None) -> Interval:
    """Mean of `a` minus that of `b`: the same questions in both, seeds paired where there are as many.

    With different numbers of seeds, each arm's seeds are drawn on their own; the questions stay shared.
    `weights` are those of `mean_interval`.

    Raises:
        ValueError: the matrices have different numbers of questions.
    """
    left, right = _matrix(a), _matrix(b)  # (Sa, Q), (Sb, Q)
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"{left.shape[1]} questions against {right.shape[1]}")
    if len(left) == len(right):
        return mean_interval(left - right, weights)
    pairs = zip(_resamples(left.shape, weights), _resamples(right.shape, weights), strict=True)
    draws = [_drawn(left, s, questions) - _drawn(right, t, questions) for (s, questions), (t, _) in pairs]
    return _interval(_mean(left, weights) - _mean(right, weights), np.concatenate(draws))


def simultaneous(differences: Sequence[ArrayLike], weights: ArrayLike | None = None) -> list[Interval]:
    """Means of many differences, each (seeds, questions), with intervals that all hold at once in 95 % of draws.

    By the largest deviation over all of them in each draw, in standard errors: the more there are, the wider. Of two
    dozen arms that do nothing one is outside its own 95 % interval; it is not outside this one.

    Seed noise that so few seeds cannot show is pooled over all of them, which also lends some to an arm trained once.

    Args:
        differences: the same questions in each; where the seeds are as many, they are drawn together.
        weights: those of `mean_interval`.
    """
    matrices = [_matrix(values) for values in differences]
    means = [_mean(matrix, weights) for matrix in matrices]
    draws = np.stack([np.concatenate(list(_draws(matrix, weights))) for matrix in matrices])  # (D, draws)
    spread = np.where(np.ptp(draws, axis=1) > ROUNDING, draws.std(axis=1), 0.0)
    moving = spread > 0
    apart = np.abs(draws - np.array(means)[:, None])[moving] / spread[moving, None]
    reach = float(np.percentile(apart.max(axis=0), 95)) if moving.any() else NORMAL
    wide = reach * np.sqrt(spread**2 + _missing_seed_noise(matrices, weights))
    return [Interval(mean, mean - w, mean + w) for mean, w in zip(means, wide.tolist(), strict=True)]


def _missing_seed_noise(matrices: Sequence[Floats], weights: ArrayLike | None) -> Floats:
    """Variance of each mean, (D,), that drawing so few seeds again cannot show.

    Of S seeds the bootstrap knows (S - 1) / S of their variance, and that badly: of two it may be next to nothing. So
    what seeds change is pooled over all differences, which are of the same trainings; of one seed it is all there is.
    """
    counted = None if weights is None else np.asarray(weights, np.float64)
    per_seed = [np.average(matrix, axis=1, weights=counted) for matrix in matrices]  # (S,) each
    apart = np.array([((seeds - seeds.mean()) ** 2).sum() for seeds in per_seed])  # (D,)
    counts = np.array([len(seeds) for seeds in per_seed])  # (D,)
    pooled = apart.sum() / max((counts - 1).sum(), 1)
    return np.maximum(0.0, pooled / counts - apart / counts**2)


def r_precision(scores: ArrayLike, is_good: ArrayLike) -> float:
    """With k bad rows, the share of bad ones among the k that score lowest.

    Of rows with the score of the k-th, as large a part counts as there is room. Rows without a score are left out, as
    for `auroc`; NaN where no bad row is left.
    """
    values, good = np.asarray(scores, np.float64), np.asarray(is_good, bool)
    values, good = values[~np.isnan(values)], good[~np.isnan(values)]
    k = int((~good).sum())
    if not k:
        return float("nan")
    border = np.partition(values, k - 1)[k - 1]
    below, at = values < border, values == border
    room = (k - below.sum()) / at.sum()
    return float(((~good & below).sum() + room * (~good & at).sum()) / k)


def auroc(scores: ArrayLike, is_good: ArrayLike) -> float:
    """Chance that a good row scores above a bad one, ties counting half.

    Rows whose score is NaN were not scored and are left out. NaN if no good or no bad row is left.
    """
    values, good = np.asarray(scores, np.float64), np.asarray(is_good, bool)
    values, good = values[~np.isnan(values)], good[~np.isnan(values)]
    n_good, n_bad = int(good.sum()), int((~good).sum())
    if not n_good or not n_bad:
        return float("nan")
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]  # 1-based, shared by ties
    return float((ranks[good].sum() - n_good * (n_good + 1) / 2) / (n_good * n_bad))


def _matrix(values: ArrayLike) -> Floats:
    matrix = np.asarray(values, np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"expected a matrix of seeds × questions, got shape {matrix.shape}")
    return matrix


def _mean(matrix: Floats, weights: ArrayLike | None) -> float:
    return float(matrix.mean() if weights is None else np.average(matrix.mean(axis=0), weights=np.asarray(weights)))


def _resamples(shape: tuple[int, ...], weights: ArrayLike | None) -> Iterator[tuple[Floats, Floats]]:
    """Weights of every seed and of every question in each draw, (CHUNK, S) and (CHUNK, Q); each row sums to 1.

    The streams hang on the sizes alone: two arms with the same questions draw the same questions.
    """
    seeds, questions = shape
    seed_rng, question_rng = np.random.default_rng([0, seeds]), np.random.default_rng([1, questions])
    for _ in range(DRAWS // CHUNK):
        drawn = _weights(question_rng, questions)
        if weights is not None:
            drawn = drawn * np.asarray(weights, np.float64)
            drawn /= drawn.sum(axis=1, keepdims=True)
        yield _weights(seed_rng, seeds), drawn


def _weights(rng: np.random.Generator, n: int) -> Floats:
    """How often each of `n` things is drawn in n draws with replacement, over n; (CHUNK, n)."""
    picks = rng.integers(n, size=(CHUNK, n)) + n * np.arange(CHUNK)[:, None]
    return np.bincount(picks.ravel(), minlength=CHUNK * n).reshape(CHUNK, n) / n


def _draws(matrix: Floats, weights: ArrayLike | None) -> Iterator[Floats]:
    """The mean of every draw, (CHUNK,) at a time."""
    return (_drawn(matrix, seeds, questions) for seeds, questions in _resamples(matrix.shape, weights))


def _drawn(matrix: Floats, seeds: Floats, questions: Floats) -> Floats:
    """The mean of every draw, (CHUNK,)."""
    return ((seeds @ matrix) * questions).sum(axis=1)  # (CHUNK, S) @ (S, Q) -> (CHUNK, Q) -> (CHUNK,)


def _interval(mean: float, draws: Floats) -> Interval:
    low, high = np.percentile(draws, TAILS)
    return Interval(float(mean), float(low), float(high))
