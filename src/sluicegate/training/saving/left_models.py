"""What a training was on the way: its best model, and those of its last checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from sluicegate.artifacts import write_json
from sluicegate.errors import ConfigError
from sluicegate.runtime import rank, say
from sluicegate.training.saving.checkpoints import Checkpoints
from sluicegate.training.saving.resumable import WEIGHTS
from sluicegate.training.saving.whole_tensors import put_weights

FOLDER = "checkpoints"


@dataclass(frozen=True)
class LeftModels:
    """Models to come back to, while the checkpoints of a training are there."""

    model: Any
    """The one that was trained; it can be made each of them."""
    checkpoints: Checkpoints
    best: dict[str, float] | None
    """Its `step` and metric."""

    def take_best(self) -> None:
        """Make the model the best.

        Raises:
            ConfigError: nothing was measured on the way.
        """
        if not self.best:
            raise ConfigError("checkpoints.take: no step was measured, so none was the best", "lower watch.every")
        (metric,) = [name for name in self.best if name != "step"]
        value = f"{self.best[metric]:.4g}"
        say(f"  takes the model of step {self.best['step']}, the best by held-out {metric}: {value}")
        self._become(int(self.best["step"]))

    def put_down(self, out: Path) -> Iterator[Path]:
        """Folders of the artifact `out`, one by one; the model is meanwhile what is to be saved there.

        At the end `checkpoints.json` tells of each its step, its metrics, where they were measured, and which is best.
        """
        names = {f"step-{step:06d}": step for step in self.checkpoints.to_leave()}
        names |= {"best": int(self.best["step"])} if self.best else {}
        for name, step in names.items():
            self._become(step)
            yield out / FOLDER / name
        if names and rank() == 0:
            write_json(out / f"{FOLDER}.json", [self._told(name, step) for name, step in names.items()])

    def _told(self, name: str, step: int) -> dict[str, Any]:
        best = self.best is not None and step == self.best["step"]
        return {"folder": f"{FOLDER}/{name}", "step": step, "best": best, **self.checkpoints.facts(step)["metrics"]}

    def _become(self, step: int) -> None:
        put_weights(self.model, load_file(self.checkpoints.at(step) / WEIGHTS))
