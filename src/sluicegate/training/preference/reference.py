"""What the reference model makes of every pair, computed once and kept: log π_ref of both sides, in nats."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from torch import Tensor

from sluicegate import runtime
from sluicegate.peers import agree
from sluicegate.training.watching.evaluating import own_batches

LogProbs = Callable[[Sequence[int]], tuple[Tensor, Tensor]]
"""log π_ref of the chosen and of the rejected sides of some pairs, (B,) each, by their numbers."""


class Reference:
    """A file of two float32 for each pair, NaN where they are not yet known.

    It is written batch by batch, so a run that was killed goes on behind the last of them; and it is named by all that
    decides what is in it, so runs of another seed, loss or beta read it too. It may be deleted.

    Args:
        path: where it is, or will be.
        n_pairs: N.
    """

    def __init__(self, path: Path, n_pairs: int) -> None:
        self.path = path
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            with draft.open("wb") as file:
                np.save(file, np.full((n_pairs, 2), np.nan, dtype=np.float32))
            with suppress(FileExistsError):  # another rank was first, and may have it open
                os.link(draft, path)
            draft.unlink()
        self.values: np.ndarray = np.load(path, mmap_mode="r+")  # (N, 2)

    def fill(
        self, log_probs: LogProbs, needed: np.ndarray, n_tokens: np.ndarray, batch_size: int, in_step: bool = False
    ) -> int:
        """Compute what is missing, this process its share of it; returns how many pairs went through the model.

        Batches are the same whatever is missing, so a pair gets the same bits in a run that was cut and in one that
        was not.

        Args:
            needed: numbers of the pairs that are asked for.
            n_tokens: of the longer side of each pair, (N,).
            batch_size: pairs that go through the model together.
            in_step: each process makes as many passes as the others, for they share the model.
        """
        wanted = np.zeros(len(self.values), dtype=bool)
        wanted[needed] = True
        missing = [
            batch
            for batch, counts in own_batches(n_tokens.tolist(), batch_size)
            if in_step or (counts and np.isnan(self.values[batch][wanted[batch]]).any())
        ]
        if in_step and agree("missing" if np.isnan(self.values[wanted]).any() else "known") == "known":
            missing = []
        for batch in runtime.track(missing, "reference log-probabilities"):
            for side, found in enumerate(log_probs(batch)):
                self.values[batch, side] = found.float().cpu().numpy()
        return sum(map(len, missing))
