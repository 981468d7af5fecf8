"""Round robin over target queries (RDS+, arXiv 2503.01807): each in turn takes the best row that is still there.

A row's best cosine alone would fill the budget with the easiest target's rows. LESS (arXiv 2402.04333) gives a row its
best task's score; in turns its tasks are balanced too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sluicegate.selection.base import Group, Pool, Rule
from sluicegate.selection.order import best_first


class Targets(Rule):
    """Let every target in turn take its best row not yet taken.

    It ranks by a signal that tells a row's score for each target: `rds` with its option `targets`, or `less`.
    """

    def reads(self) -> tuple[str, ...]:
        """The signal's score for each target."""
        return ("{by}_targets",)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group per target: what it took, best first; rows beyond the budget follow by score, dealt out in turn."""
        scores = pool.column(f"{pool.by}_targets")  # (N, M)
        taken = _in_turn(scores, budget)
        left = best_first(pool.score)
        left = left[~np.isin(left, taken)]
        turns, n_targets = np.concatenate([taken, left]), scores.shape[1]
        for target in range(n_targets):
            why = f"the {{keep}} that target {target + 1} of {n_targets} took in turn by {pool.by}"
            yield Group(turns[target::n_targets], why)

    def shares(self, groups: Sequence[Group], budget: int) -> np.ndarray:
        """One row to each in turn."""
        return np.bincount(np.arange(budget) % len(groups), minlength=len(groups))


def _in_turn(scores: np.ndarray, turns: int) -> np.ndarray:
    """Rows of (N, M) in the order they are taken, (turns,), by one target after the other."""
    wishes = [iter(_best(column, turns)) for column in scores.T]
    free, taken = bytearray(b"\1") * len(scores), []
    for turn in range(turns):
        row = next(row for row in wishes[turn % len(wishes)] if free[row])
        free[row] = False
        taken.append(row)
    return np.array(taken, dtype=np.int64)


def _best(score: np.ndarray, n: int) -> np.ndarray:
    """The first n rows of `best_first`; more a target can never need, for fewer than n are taken before."""
    last = np.partition(-score, n - 1)[n - 1]
    rows = np.flatnonzero(~(-score > last))  # those without a score too
    return rows[best_first(score[rows])[:n]]
