"""A training before its first step, held in memory for as long as there is no checkpoint to go back to."""

from __future__ import annotations

from typing import Any

import torch

from sluicegate.training.saving.random_state import put_back, random_state
from sluicegate.training.saving.resumable import exportable, put_callbacks, put_noted
from sluicegate.training.saving.whole_tensors import local, trained


class Start:
    """How a trainer is before it trains."""

    def __init__(self, trainer: Any) -> None:
        self.weights = {name: local(p).detach().to("cpu", copy=True) for name, p in trained(trainer.model).items()}
        self.random = random_state()
        self.callbacks = {type(each).__name__: each.state() for each in exportable(trainer)}

    def put_back(self, trainer: Any) -> None:
        """Let it be so again, but for what it makes anew when it begins to train."""
        with torch.no_grad():
            for name, parameter in trained(trainer.model).items():
                local(parameter).copy_(self.weights[name])
        put_back(self.random)
        put_callbacks(trainer, self.callbacks)
        put_noted(trainer, {})
        trainer.guard.put_back(())
