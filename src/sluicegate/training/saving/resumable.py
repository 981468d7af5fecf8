"""The part of a Trainer's class that saves where it stands, and goes on from there as if it had never stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.trainer_callback import ExportableState

from sluicegate.artifacts import write_json
from sluicegate.runtime import rank, warn
from sluicegate.training.saving import optimizer_state, random_state
from sluicegate.training.saving.guard import Guard
from sluicegate.training.saving.keeper import Keeper
from sluicegate.training.saving.whole_tensors import gathered, put_weights, trained

WEIGHTS, OPTIMIZER, STATE, COURSE = "weights.safetensors", "optimizer.safetensors", "state.json", "trainer_state.json"
NOTED = ("_metrics", "_stored_metrics", "_total_train_tokens")
"""What trl's trainers remember from one line of the log to the next."""


class Resumable:
    """Takes the place of the Trainer's own saving and loading, which is by pickle, in place, and leaves out the sums
    that the next line of the log is made of."""

    keeper: Keeper
    guard: Guard

    def _save_checkpoint(self: Any, model: Any, trial: Any) -> None:
        from accelerate.utils import gather_object

        self.store_flos()
        ranks = gather_object([self._own()])
        tensors = gathered(trained(self.model)), *optimizer_state.optimizer_state(self.optimizer)
        if rank() == 0:
            facts = {"metrics": self.keeper.metrics, "best": (self.keeper.best or {}).get("step")}
            self.keeper.checkpoints.write(self.state.global_step, partial(self._write, tensors, ranks), facts)
        self.guard.confirmed = False
        self.accelerator.wait_for_everyone()

    def _own(self: Any) -> dict[str, Any]:
        """What each process has of its own."""
        noted = {name: _plain(getattr(self, name)) for name in NOTED if hasattr(self, name)}
        return {"random": random_state.random_state(), "loss": self._tr_loss.item(), "noted": noted}

    def _write(self: Any, tensors: Any, ranks: list[dict[str, Any]], folder: Path) -> None:
        weights, moments, optimizer = tensors
        save_file(weights, folder / WEIGHTS)
        save_file(moments, folder / OPTIMIZER)
        told = {
            "peak_rate": self.args.learning_rate,
            "optimizer": optimizer,
            "schedule": self.lr_scheduler.state_dict(),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else None,
            "guard": list(self.guard.losses),
            "logged": [self._globalstep_last_logged, self._total_loss_scalar],
            "ranks": ranks,
        }
        write_json(folder / STATE, told)
        self.state.stateful_callbacks |= {type(each).__name__: each.state() for each in exportable(self)}
        self.state.save_to_json(str(folder / COURSE))

    # Going on, in the order in which the Trainer asks for it --------------------------------------------------------

    def _load_from_checkpoint(self: Any, resume_from_checkpoint: str, model: Any = None) -> None:
        put_weights(self.model, load_file(Path(resume_from_checkpoint) / WEIGHTS))

    def _init_training_state(self: Any, max_steps: int, per_epoch: int, epochs: int, resume: Any, trial: Any) -> Any:
        begun = super()._init_training_state(max_steps, per_epoch, epochs, resume, trial)  # type: ignore[misc]
        ended = resume and self.state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"]
        return (epochs, 0) if ended else begun

    def _load_callback_state(self: Any) -> None:
        put_callbacks(self, self.state.stateful_callbacks)

    def _load_optimizer_and_scheduler(self: Any, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        told = _told(checkpoint)
        times = self.args.learning_rate / told["peak_rate"]
        moments = load_file(Path(checkpoint) / OPTIMIZER)
        optimizer_state.put_back(self.optimizer, moments, told["optimizer"], times)
        optimizer_state.put_schedule_back(self.lr_scheduler, told["schedule"], times)

    def _load_scaler(self: Any, checkpoint: str | None) -> None:
        if checkpoint and self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(_told(checkpoint)["scaler"])

    def _run_epoch(self: Any, **course: Any) -> None:
        if course["resume_from_checkpoint"] and course["epoch"] == course["epochs_trained"]:
            self._put_sums(_told(course["resume_from_checkpoint"]))
        super()._run_epoch(**course)  # type: ignore[misc]

    def _put_sums(self: Any, told: Mapping[str, Any]) -> None:
        self._globalstep_last_logged, self._total_loss_scalar = told["logged"]
        self.guard.put_back(told["guard"])
        if rank() < len(told["ranks"]):
            mine = told["ranks"][rank()]
            self._tr_loss = torch.tensor(mine["loss"], device=self.args.device)
            put_noted(self, mine["noted"])

    def _load_rng_state(self: Any, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        ranks = _told(checkpoint)["ranks"]
        if len(ranks) != self.args.world_size:
            warn(f"{len(ranks)} processes left off, {self.args.world_size} go on: dropout will be another")
        if rank() < len(ranks):
            random_state.put_back(ranks[rank()]["random"])


def exportable(trainer: Any) -> Iterator[Any]:
    """What of a trainer has a state to keep: some of its callbacks, and its control."""
    each = [*trainer.callback_handler.callbacks, trainer.control]
    return (one for one in each if isinstance(one, ExportableState))


def put_callbacks(trainer: Any, states: Mapping[str, Any]) -> None:
    """Give callbacks the state they had, by the names of their classes."""
    for each in exportable(trainer):
        for name, value in states.get(type(each).__name__, {}).get("attributes", {}).items():
            setattr(each, name, value)


def put_noted(trainer: Any, noted: Mapping[str, Any]) -> None:
    """Let one of trl's trainers remember what it had noted, and nothing else."""
    for name in NOTED:
        live = getattr(trainer, name, None)
        if isinstance(live, dict):
            for mode in {*live, *noted.get(name, {})}:
                live[mode].clear()
                live[mode].update(noted.get(name, {}).get(mode, {}))
        elif live is not None:
            setattr(trainer, name, noted.get(name, 0))


def _plain(value: Any) -> Any:
    """Nested numbers, some of them tensors, as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.item() if isinstance(value, Tensor) else value


def _told(checkpoint: str) -> dict[str, Any]:
    return json.loads((Path(checkpoint) / STATE).read_text(encoding="utf-8"))
