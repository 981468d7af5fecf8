"""Greedy k-center (arXiv 1708.00489): the chosen cover the prompts, no prompt far from one of them.

Each next record is the one whose nearest chosen record is farthest away: argmax_i min_{j chosen} |x_i - x_j|.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydantic import Field

from sluicegate.selection.base import Group, Pool, Rule
from sluicegate.selection.order import best_first


class KCenter(Rule):
    """Among the best-scored records, keep those that cover the space of prompts."""

    class Config(Rule.Config):
        among: float = Field(2.0, ge=1)
        """Cover with the best so many times the budget; 1 is `top_k`."""

    def reads(self) -> tuple[str, ...]:
        """The mean hidden state over each prompt."""
        return ("prompt_state",)

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """One group: centers in the order they were chosen, then the others by score."""
        best = best_first(pool.score)
        shortlist = best[: round(self.config.among * budget)]
        centers = shortlist[_farthest_first(pool.column("prompt_state")[shortlist], budget)]
        order = np.concatenate([centers, best[~np.isin(best, centers)]])
        yield Group(order, f"the {{keep}} of the best {len(shortlist)} by {pool.by} that cover their prompts")


def _farthest_first(states: np.ndarray, k: int) -> np.ndarray:
    """Rows of (N, D) in the order greedy k-center takes them, the first row first: (min(k, N),)."""
    x = states.astype(np.float32)
    gap = np.full(len(x), np.inf, dtype=np.float32)  # (N,) squared distance to the nearest chosen
    chosen = []
    for _ in range(min(k, len(x))):
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, ((x - x[chosen[-1]]) ** 2).sum(axis=1))
        gap[chosen[-1]] = -1.0  # a copy of it, at distance 0, may still be taken
    return np.array(chosen, dtype=np.int64)
