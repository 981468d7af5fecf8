"""Logistic regression on the mean final state of the response tokens: the log-odds that a row is undamaged.

    probe(x) = log p / (1 − p) = w · meanₜ hₜ + b

with states h standardised over the rows it learns from. The linear probe of arXiv 1610.01644, pooled over tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sluicegate.scoring.base import Batch
from sluicegate.scoring.taught import Taught

if TYPE_CHECKING:
    from torch import Tensor


class Probe(Taught):
    """What the model's last states know of quality without its losses."""

    name = "probe"

    class Config(Taught.Config):
        c: float = Field(0.003, gt=0)
        """Inverse strength of the L2 penalty: there are more states than trusted rows."""

    def observe(self, batch: Batch, config: Any) -> Tensor:
        """The mean final state over each row's response tokens: (B, H)."""
        import torch

        states = batch.hidden[batch.reading.row, batch.reading.position]  # (T, H)
        return torch.stack([own.float().mean(0) for own in batch.per_row(states)])

    def classifier(self, config: Any) -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LogisticRegression(C=config.c, class_weight="balanced", max_iter=500))
