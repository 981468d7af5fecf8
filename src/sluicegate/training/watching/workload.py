"""How much goes through a model at each step of a training whose batches are laid out ahead, padding not counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    """Of the S optimizer steps of a run, over all processes."""

    samples: np.ndarray
    """Rows, or pairs, (S,)."""
    tokens: np.ndarray
    """(S,)"""
    label_tokens: np.ndarray
    """(S,)"""

    @classmethod
    def of(
        cls, order: Sequence[int] | np.ndarray, total_batch: int, n_tokens: np.ndarray, n_label: np.ndarray
    ) -> Workload:
        """Of batches that follow one another.

        Args:
            order: numbers of rows, each as often as it comes.
            n_tokens: of every row, (N,).
            n_label: label tokens of every row, (N,).
        """
        order = np.asarray(order)
        begins = np.arange(0, len(order), total_batch)
        counts = (np.ones_like(order), n_tokens[order], n_label[order])
        return cls(*(np.add.reduceat(each, begins) for each in counts))

    def __len__(self) -> int:
        """S."""
        return len(self.samples)

    def of_steps(self, first: int, last: int) -> tuple[int, int]:
        """Tokens and label tokens of the steps `first` to `last`, both included, counted from 1."""
        part = slice(first - 1, last)
        return int(self.tokens[part].sum()), int(self.label_tokens[part].sum())

    def samples_until(self, step: int) -> int:
        """Rows, or pairs, seen once a step is done; one that comes twice counts twice."""
        return int(self.samples[:step].sum())
