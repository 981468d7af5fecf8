"""LESS (arXiv 2402.04333): how far training on a row would lead the way the trusted rows point.

    less(z) = max over tasks j of Σᵢ η̄ᵢ cos(Γ(z; θᵢ), ∇ℓ(Dⱼ; θᵢ)) / Σᵢ η̄ᵢ

over the checkpoints θᵢ of a short training, η̄ᵢ the mean learning rate of the epoch before each; Γ is Adam's direction
for the row, ∇ℓ(Dⱼ) the mean plain gradient of the trusted rows of task j, both of an adapter and randomly projected.
One trusted set is one task: its mean gradient, not the mean of the cosines with each of its rows. The paper leaves
the weights as they are; divided by their sum they order the rows alike, within [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sluicegate.scoring.base import Shard, Signal, or_reason


class Less(Signal):
    """Influence on each task, by id; a stage of its own works it out, for no pass without gradients can."""

    name = "less"

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return or_reason(_by_task(shard).max(1), shard)

    def further(self, shard: Shard, config: Any) -> dict[str, np.ndarray]:
        """`targets`: the influence on each task, in the order of their names, (B, M)."""
        return {"targets": _by_task(shard)}


def _by_task(shard: Shard) -> np.ndarray:
    """(B, M) float32."""
    return np.array([shard.learned[record["id"]] for record in shard.records], dtype=np.float32)


def cosines(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of rows (N, W) with the targets of tasks (M, W): (N, M); NaN where one has no direction."""
    with np.errstate(invalid="ignore"):
        return _unit(features) @ _unit(targets).T


def combine(cosines: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Cosines at every checkpoint (K, N, M) and their learning rates (K,) to the influence on each task: (N, M)."""
    return np.einsum("k,knm->nm", rates / rates.sum(), cosines)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True)
class Cost:
    """The work that was done, to be set against one forward pass over the rows that are scored."""

    rows: int
    """Scored, and so for the tokens."""
    tokens: int
    trusted_rows: int
    trusted_tokens: int
    taught_tokens: int
    """The warm-up's in one epoch."""
    epochs: int
    """Of the warm-up, and so checkpoints."""
    adapter_share: float
    """The adapter's parameters over those that the base multiplies each token with."""
    width: int
    """Of the projection."""

    def forward_units(self) -> float:
        """In multiplications, of which a forward pass has one for each parameter and token.

        Forward and backward through a frozen base are two, and three more for the adapter, whose own gradients are
        wanted too. A row's projection has one for each of the adapter's parameters and each dimension; that its signs
        are made anew for every batch is not counted, and takes about as long again for batches of some 30 rows.
        """
        pass_tokens = self.epochs * (self.taught_tokens + self.tokens + self.trusted_tokens)
        projected = self.epochs * (self.rows + self.trusted_rows) * self.width * self.adapter_share
        return (pass_tokens * (2 + 3 * self.adapter_share) + projected) / self.tokens
