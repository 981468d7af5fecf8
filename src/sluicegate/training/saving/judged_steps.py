"""The part of a Trainer's class that looks at every step before it is taken, all processes together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed

from sluicegate.runtime import rank
from sluicegate.training.saving.guard import Diverged, Guard
from sluicegate.training.saving.keeper import Keeper
from sluicegate.training.saving.start import Start


class JudgedSteps:
    """Between the backward pass and the optimizer's step, the guard judges, and the keeper learns of signals.

    Raises:
        Diverged: by `train`, before a step that went astray changes anything.
    """

    keeper: Keeper
    guard: Guard
    start: Start | None
    """Needed until a checkpoint can be gone back to."""
    loss_of_step: Tensor | None = None

    def training_step(self: Any, *args: Any, **kwargs: Any) -> Tensor:
        """One pass of a step; losses of passes add up to the step's."""
        loss: Tensor = super().training_step(*args, **kwargs)  # type: ignore[misc]
        self.loss_of_step = loss if self.loss_of_step is None else self.loss_of_step + loss
        return loss

    def _get_grad_norm(self: Any, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm)  # type: ignore[misc]
        self._judge(0.0 if norm is None or self.accelerator.scaler else float(norm))  # a scaler leaves such steps out
        return norm

    def _judge(self: Any, norm: float) -> None:
        keeper = self.keeper
        waited = rank() == 0 and keeper.checkpoints.waited()
        mine = [float(self.loss_of_step), float(keeper.leave.asked), float(waited)]
        self.loss_of_step = None
        loss, asked, late = agreed(mine, self.args.device)
        keeper.leave.agreed, keeper.waited = asked > 0, late > 0
        if why := self.guard.fault(loss, norm):
            raise Diverged(self.state.global_step + 1, loss, why)
        if not self.guard.confirmed:
            self.guard.confirmed, self.start = True, None
            if rank() == 0:
                keeper.checkpoints.rotate()


def agreed(values: list[float], device: torch.device) -> list[float]:
    """The means of some numbers over all processes, known to each of them."""
    if not distributed.is_initialized():
        return values
    told = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(told)
    return (told / distributed.get_world_size()).tolist()
