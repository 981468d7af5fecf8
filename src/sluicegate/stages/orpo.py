"""model + pairs → model, by odds-ratio preference optimisation (arXiv 2403.07691), which needs no reference."""

from __future__ import annotations

from sluicegate.stages.preference import Preference
from sluicegate.training.preference_config import OrpoConfig


class Orpo(Preference):
    """Trains on the chosen sides and against the rejected ones at once, so it may start from a base model."""

    name = "orpo"

    class Config(OrpoConfig):
        pass
