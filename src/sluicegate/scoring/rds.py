"""RDS+ (arXiv 2503.01807): how near a row's mean hidden state is to those of target queries, the trusted rows.

A row's vector is the sum of w_i h_i over all its N tokens, prompt and response, with w_i = i / (1 + ... + N) and h_i
the last hidden state: later tokens have seen more. Its score is its cosine to the nearest target, or the mean cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sluicegate.errors import DataError
from sluicegate.schema import Record
from sluicegate.scoring.base import Batch, Read, Reads, Shard, Signal, rate

if TYPE_CHECKING:
    from torch import Tensor


class Rds(Signal):
    """High for rows like the trusted ones, whatever their faults.

    The paper lets targets pick rows in turn; a column has one number per row, so here the nearest target speaks for it.
    """

    name = "rds"
    reads: ClassVar[Reads] = "base"
    needs = frozenset({"trusted"})

    class Config(Signal.Config):
        over: Literal["max", "mean"] = "max"
        """What is made of a row's cosines to all targets."""

    def fit(self, read: Read, trusted: Sequence[Record], config: Any) -> np.ndarray:
        """The targets' directions: (Q, H)."""
        found = read(trusted).observed
        if found is None or not (finite := np.isfinite(found).all(1)).any():
            raise DataError("signal 'rds' can read no trusted row", "give it rows with replies, or a larger max_length")
        return _directions(found[finite])

    def observe(self, batch: Batch, config: Any) -> Tensor:
        """The weighted mean of each row's final states: (B, H)."""
        import torch

        states = zip(batch.hidden, batch.encoded, strict=True)
        return torch.stack([_weighted_mean(hidden[: len(e.ids)].float()) for hidden, e in states])

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        over = np.max if config.over == "max" else np.mean
        return rate(lambda observed: over(_directions(observed) @ shard.learned.T, axis=1), shard)


def _weighted_mean(states: Tensor) -> Tensor:
    """Of states (N, H), each weighted by its place: (H,)."""
    import torch

    places = torch.arange(1, len(states) + 1, device=states.device, dtype=states.dtype)
    return places @ states / places.sum()


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Vectors (R, H) at length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
