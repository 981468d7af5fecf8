"""Train to the end, from wherever the last attempt left off, and back from a step that went astray."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers.integrations.neftune import deactivate_neftune

from sluicegate.runtime import rank, say, warn
from sluicegate.training.saving.checkpoints import Checkpoints
from sluicegate.training.saving.guard import Diverged
from sluicegate.training.saving.guard_config import GuardConfig
from sluicegate.training.saving.start import Start


def train(trainer: Any, checkpoints: Checkpoints, config: GuardConfig, doing: str) -> list[dict[str, Any]]:
    """Run a trainer of `Resumable` and `JudgedSteps`; tells how often it went back, and why.

    Raises:
        SluiceError: it diverged more often than `config.rewinds`.
    """
    found, rewinds = _from_first(lambda: (checkpoints.pick_up(), checkpoints.rewinds()))
    if found:
        say(f"  {doing} goes on from the checkpoint of step {checkpoints.step_of(found)}")
    if rewinds:
        trainer.args.learning_rate = rewinds[-1]["rate"]
    allowed = 0 if trainer.is_deepspeed_enabled else config.rewinds  # its parts of the weights are its own
    trainer.start = Start(trainer) if allowed else None
    while True:
        trainer.guard.confirmed = found is None
        try:
            trainer.train(resume_from_checkpoint=str(found) if found else None)
            return rewinds
        except Diverged as bad:
            if len(rewinds) >= allowed:
                raise bad.told(doing, trainer.args.learning_rate, len(rewinds)) from None
            found, told = _go_back(trainer, checkpoints, config.lower, bad)
            rewinds.append(told)
            warn(
                f"{doing}: {bad.why} at step {bad.step}; back to step {told['back_to']} at {told['rate']:g}, "
                f"which is {config.lower:g} of the learning rate"
            )


def _go_back(trainer: Any, checkpoints: Checkpoints, lower: float, bad: Diverged) -> tuple[Path | None, dict[str, Any]]:
    """Ready a trainer to train again; returns the checkpoint it goes on from, None for the start, and what is told.

    The last step before the one that went astray may have been the bad one: its checkpoint is not gone back to.
    """
    found = _from_first(lambda: checkpoints.newest_whole(below=bad.step - 1))
    rate = trainer.args.learning_rate * lower
    told = {
        "step": bad.step,
        "loss": bad.loss if math.isfinite(bad.loss) else None,  # JSON has no other word
        "why": bad.why,
        "back_to": checkpoints.step_of(found) if found else 0,
        "rate": rate,
    }
    if rank() == 0:
        checkpoints.rewind(told)
    _empty(trainer, rate)
    if not found:
        trainer.start.put_back(trainer)
    return found, told


def _empty(trainer: Any, rate: float) -> None:
    """Leave a trainer nothing of what it makes when it begins to train."""
    trainer.args.learning_rate = rate
    trainer.optimizer = trainer.lr_scheduler = trainer.loss_of_step = None
    if trainer.neftune_noise_alpha is not None:
        deactivate_neftune(trainer.model, trainer.neftune_hook_handle, trainer.accelerator)


def _from_first(tell: Any) -> Any:
    """What the first process finds, told to all."""
    from accelerate.utils import broadcast_object_list

    told = [tell() if rank() == 0 else None]
    return broadcast_object_list(told)[0]
