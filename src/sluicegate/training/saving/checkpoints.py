"""Sealed checkpoints of one training: artifacts of a store of their own, which goes when the model stands."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sluicegate.artifacts import DRAFT, MANIFEST, Artifact, Store, write_json
from sluicegate.errors import ArtifactError
from sluicegate.runtime import warn
from sluicegate.training.saving.checkpoint_config import CheckpointConfig

FOLDER = f"checkpoints{DRAFT}"
REWINDS = "rewinds.json"
TENTH = 10
FLOOR_S = 60.0
"""No sooner after the last checkpoint comes one that nobody asked for."""


class Checkpoints:
    """The checkpoints of one training, by the optimizer steps that were done; one process writes and removes them.

    Args:
        out: the folder of the artifact in the making.
        steps: of the run.
    """

    def __init__(self, out: Path, config: CheckpointConfig, steps: int) -> None:
        self.config = config
        self.every = -(-steps // TENTH) if config.every is None else config.every
        self.store = Store(out / FOLDER)
        self.written_at = time.monotonic()

    def due(self, step: int, waited: bool) -> bool:
        """Whether one is due after so many steps.

        Args:
            waited: whether the last one is `FLOOR_S` old.
        """
        asked = self.config.every is not None or self.config.leave > 0
        return self._planned(step) and (waited or asked)

    def waited(self) -> bool:
        """Whether the last checkpoint, or the start, is long enough ago."""
        return time.monotonic() - self.written_at >= FLOOR_S

    def write(self, step: int, fill: Callable[[Path], None], facts: dict[str, Any]) -> None:
        """Make the checkpoint of a step: written in hiding, on the disk, sealed, and then in its place.

        Args:
            facts: what its manifest tells; `best` among them, the step of the best model so far.
        """

        def on_disk(folder: Path) -> dict[str, Any]:
            fill(folder)
            for path in folder.iterdir():
                _sync(path)
            return {**facts, "rewinds": len(self.rewinds())}

        made = self.store.make(_name(step), on_disk, {"kind": "checkpoint", "inputs": {}})
        for path in (made.path / MANIFEST, made.path, self.store.root):
            _sync(path)
        self.written_at = time.monotonic()

    def steps(self) -> list[int]:
        """Those there are, the oldest first."""
        return sorted(self.step_of(self.store.root / name) for name in self.store.ids())

    def step_of(self, path: Path) -> int:
        """The step of a checkpoint's folder."""
        return int(path.name.partition("-")[2])

    def at(self, step: int) -> Path:
        """The folder of the checkpoint of a step."""
        return self.store.root / _name(step)

    def facts(self, step: int) -> dict[str, Any]:
        """What was told of the checkpoint of a step."""
        return self.store.open(_name(step)).stats

    def pick_up(self) -> Path | None:
        """Where the last attempt left off, the newest that is whole; what it left half done is taken away."""
        for half in self.store.root.glob(".step-*[0-9]"):
            warn(f"passing over a checkpoint: {half.name[1:]} was not written to its end")
            shutil.rmtree(half)
        for path in self.store.root.glob("step-*"):
            self._or_none(path, self.store.open)
        self.prune()
        return self.newest_whole()

    def newest_whole(self, below: int | None = None) -> Path | None:
        """The newest that is as it was sealed; those that are not are told about and taken away.

        Args:
            below: only of steps before this one.
        """
        paths = sorted(self.store.root.glob("step-*"), reverse=True)
        early = (path for path in paths if below is None or self.step_of(path) < below)
        return next((path for path in early if self._or_none(path, self._verify)), None)

    def _verify(self, name: str) -> Artifact:
        """One that is whole, and so is that of the best model it tells of."""
        found = self.store.open(name)
        found.verify()
        if (best := found.stats["best"]) not in (None, self.step_of(found.path)):
            self.store.open(_name(best)).verify()
        return found

    def _or_none(self, path: Path, read: Callable[[str], Artifact]) -> Artifact | None:
        try:
            return read(path.name)
        except ArtifactError as err:
            warn(f"passing over a checkpoint: {err.message}")
            shutil.rmtree(path)
            return None

    def rotate(self) -> None:
        """Take away what need not be held: all but the last ones, those that are to stay, and the best."""
        steps = self.steps()
        planned = [step for step in steps if self._planned(step)]
        held = {*steps[-self.config.keep :], *self._last_planned(planned)}
        held |= {self.facts(step)["best"] for step in held}
        self._remove(step for step in steps if step not in held)

    def _remove(self, steps: Iterable[int]) -> None:
        for step in steps:
            shutil.rmtree(self.at(step))

    def to_leave(self) -> list[int]:
        """Those that stay beside the finished model."""
        return self._last_planned([step for step in self.steps() if self._planned(step)])

    def _last_planned(self, planned: list[int]) -> list[int]:
        return planned[len(planned) - min(self.config.leave, len(planned)) :]

    def _planned(self, step: int) -> bool:
        return self.every > 0 and step % self.every == 0

    # Rewinds --------------------------------------------------------------------------------------------------------

    def rewinds(self) -> list[dict[str, Any]]:
        """How often this training went back so far, and why; in attempts that were killed too."""
        path = self.store.root / REWINDS
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    def rewind(self, told: dict[str, Any]) -> None:
        """Note one more for this attempt and the next, and take away what came after the step it goes back to."""
        self.store.root.mkdir(parents=True, exist_ok=True)
        write_json(self.store.root / REWINDS, [*self.rewinds(), told])
        self.prune()

    def prune(self) -> None:
        """Take away the checkpoints of courses that led astray: those from before a rewind to an earlier step."""
        rewinds = self.rewinds()
        for step in self.steps():
            later = rewinds[self.facts(step)["rewinds"] :]
            if any(step > rewind["back_to"] for rewind in later):
                self._remove([step])


def _name(step: int) -> str:
    return f"step-{step:06d}"


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
