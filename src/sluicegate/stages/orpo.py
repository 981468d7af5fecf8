"""model + pairs → model, by odds-ratio preference optimisation, which needs no reference."""

from __future__ import annotations

from sluicegate.stages.preference import Preference
from sluicegate.training.preference.config import OrpoConfig


class Orpo(Preference):
    """Trains on the chosen sides and against the rejected ones at once by ORPO (arXiv 2403.07691), also a base model.

    With P the geometric mean of a side's label-token probabilities and odds P / (1 - P), the loss of a pair is
    -log P(chosen) - β · log σ(log odds(chosen) - log odds(rejected)). An adapter given is trained on, in its shape.
    """

    name = "orpo"

    class Config(OrpoConfig):
        pass
