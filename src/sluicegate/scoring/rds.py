"""RDS+ (arXiv 2503.01807): how near a row's mean hidden state is to those of target queries, the trusted rows.

A row's vector is the sum of w_i h_i over all its N tokens, prompt and response, with w_i = i / (1 + ... + N) and h_i
the last hidden state: later tokens have seen more. Its score is its cosine to the nearest target, or the mean cosine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np

from sluicegate.errors import DataError
from sluicegate.schema import Record
from sluicegate.scoring.base import Batch, Read, Reads, Shard, Signal, rate

if TYPE_CHECKING:
    from torch import Tensor

OVER: dict[str, Callable[..., np.ndarray]] = {"max": np.max, "mean": np.mean}
MOST_TARGETS = 512
"""Numbers kept of each row at most: 2 GB for a million rows."""


class Targets(NamedTuple):
    """Q trusted rows that speak for M targets."""

    directions: np.ndarray
    """(Q, H), each of length 1."""
    target: np.ndarray
    """(Q,) which target each speaks for, 0 to M - 1."""


class Rds(Signal):
    """High for rows like the trusted ones, whatever their faults.

    One number per row says how near its nearest target is. The paper lets targets pick rows in turn: keep `targets`,
    and select by the rule `targets`.
    """

    name = "rds"
    reads: ClassVar[Reads] = "base"
    needs = frozenset({"trusted"})

    class Config(Signal.Config):
        over: Literal["max", "mean"] = "max"
        """What is made of a row's cosines to several trusted rows."""
        targets: Literal["none", "source", "row"] = "none"
        """Keep also a number for each target, for the rule `targets`. `source`: each source of trusted rows is one, in
        the order of their names; `row`: each trusted row, in the order of their ids, 512 at most."""

    def fit(self, read: Read, trusted: Sequence[Record], config: Any) -> Targets:
        """The trusted rows' directions, and the target each speaks for."""
        found = read(trusted).observed
        if found is None or not (finite := np.isfinite(found).all(1)).any():
            raise DataError("signal 'rds' can read no trusted row", "give it rows with replies, or a larger max_length")
        readable = [record for record, good in zip(trusted, finite, strict=True) if good]
        names = [record["id" if config.targets == "row" else "source"] for record in readable]
        known, target = np.unique(names, return_inverse=True)
        if len(known) > MOST_TARGETS and config.targets != "none":
            hint = "set `targets: source`, or give fewer trusted rows"
            raise DataError(f"signal 'rds' has {len(known):,} targets, more than the {MOST_TARGETS} it can keep", hint)
        return Targets(_directions(found[finite]), target)

    def observe(self, batch: Batch, config: Any) -> Tensor:
        """The weighted mean of each row's final states: (B, H)."""
        import torch

        states = zip(batch.hidden, batch.encoded, strict=True)
        return torch.stack([_weighted_mean(hidden[: len(e.ids)].float()) for hidden, e in states])

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        of_all = OVER[config.over]
        return rate(lambda observed: of_all(_directions(observed) @ shard.learned.directions.T, axis=1), shard)

    def further(self, shard: Shard, config: Any) -> dict[str, np.ndarray]:
        """`targets`: how near each row is to each target, (B, M)."""
        if config.targets == "none":
            return {}
        directions, target = shard.learned
        near = np.full((len(shard.encoded), len(directions)), np.nan, dtype=np.float32)  # (B, Q)
        if shard.observed is not None:
            good = np.isfinite(shard.observed).all(1)
            near[good] = _directions(shard.observed[good]) @ directions.T
        of_own = [OVER[config.over](near[:, target == m], axis=1) for m in range(target.max() + 1)]
        return {"targets": np.stack(of_own, axis=1)}


def _weighted_mean(states: Tensor) -> Tensor:
    """Of states (N, H), each weighted by its place: (H,)."""
    import torch

    places = torch.arange(1, len(states) + 1, device=states.device, dtype=states.dtype)
    return places @ states / places.sum()


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Vectors (R, H) at length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
