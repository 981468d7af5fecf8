"""Gradient-boosted trees on statistics of the response tokens' losses: the cheap baseline a gate must beat.

    boost(x) = log p / (1 − p) = b + Σᵢ η fᵢ(statistics of the losses), p that x is undamaged, fᵢ a tree's leaf

The trees are scikit-learn's histogram kind, as of LightGBM (Ke and others, NIPS 2017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sluicegate.scoring.base import Batch
from sluicegate.scoring.taught import Taught

if TYPE_CHECKING:
    from torch import Tensor

HIGH_LOSS = 3.0
"""In nats: a token that the model gave one chance in twenty, or less."""
QUANTILES = (0.25, 0.5, 0.75, 0.9)
DECIMALS = 4
"""Rounded so far, that no branch of a tree hangs on the last bits of a float."""


class Boost(Taught):
    """What can be made of the losses alone, in the pass that perplexity reads."""

    name = "boost"

    class Config(Taught.Config):
        trees: int = Field(150, ge=1)
        """How many, one after the other."""
        learning_rate: float = Field(0.06, gt=0)
        """What each adds."""

    def observe(self, batch: Batch, config: Any) -> Tensor:
        """Statistics of each row's response tokens: (B, F)."""
        import torch

        losses, entropies = (batch.per_row(x.cpu()) for x in (batch.reading.loss, batch.reading.entropy))
        return torch.stack([statistics(*tokens) for tokens in zip(losses, entropies, strict=True)])

    def classifier(self, config: Any) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        rounds = {"max_iter": config.trees, "learning_rate": config.learning_rate}
        return HistGradientBoostingClassifier(**rounds, early_stopping=False, random_state=config.seed)


def statistics(loss: Tensor, entropy: Tensor) -> Tensor:
    """Level, extremes and spread of T tokens' losses and entropies, in nats, (T,) each, and their number: (F,)."""
    import torch

    excess = loss - entropy
    levels = [loss.mean(), entropy.mean(), excess.mean(), (loss > HIGH_LOSS).float().mean()]
    extremes = [loss.min(), loss.max(), entropy.max(), excess.max(), loss[0], loss[-1]]
    spread = [loss.std(correction=0), torch.tensor(float(len(loss))).log()]
    found = torch.cat([torch.stack(levels + extremes + spread), loss.quantile(torch.tensor(QUANTILES))])
    return found.round(decimals=DECIMALS)
