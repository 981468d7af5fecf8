"""The same top share of every cluster of prompts, so that no kind of question is lost to another's higher scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
from pydantic import Field

from sluicegate.selection.base import Group, Pool, Rule
from sluicegate.selection.order import apart, best_first

RESTARTS = 3


class Clusters(Rule):
    """Cluster the prompts' hidden states by k-means and keep the same top share of every cluster."""

    class Config(Rule.Config):
        n_clusters: int = Field(8, gt=0)
        """How many clusters; fewer where the pool has fewer distinct prompts."""
        seed: int = 0
        """Where k-means starts."""

    def reads(self) -> tuple[str, ...]:
        """The mean hidden state over each prompt."""
        return ("prompt_state",)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group per cluster, ranked by score."""
        member = _cluster(pool.column("prompt_state"), self.config.n_clusters, self.config.seed)
        for number, rows in enumerate(apart(best_first(pool.score), member)):
            yield Group(rows, f"the best {{keep}} of {len(rows)} in cluster {number} by {pool.by}")


def _cluster(states: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """The cluster of each standardised state, (N, D) -> (N,)."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    spread = states.std(axis=0)
    x = (states - states.mean(axis=0)) / np.where(spread > 0, spread, 1)  # (N, D)
    means = KMeans(min(n_clusters, len(x)), n_init=RESTARTS, random_state=seed)
    with warnings.catch_warnings(), threadpool_limits(1):  # threads would add up in any order, and bytes would differ
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct prompts than clusters is no fault
        return means.fit_predict(x)
