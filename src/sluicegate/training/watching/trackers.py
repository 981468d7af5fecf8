"""Where the numbers of a training go beside its own files: TensorBoard, wandb, trackio and swanlab.

Each tracker is opened by a function here and is then a run with `log(numbers, step=)` and `finish()`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sluicegate.errors import MissingError
from sluicegate.training.watching.watch_config import LogConfig

EVENTS = "tensorboard"
"""In the artifact: event files."""
KEPT = ".track"
"""Beside the artifacts of a run: what wandb and swanlab write, with which they can be synced later."""
FLUSH_S = 10
"""Seconds after which a killed training has lost no event."""
ELSEWHERE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_WEBHOOK_URL")
"""By these trackio would send what it is told."""


class Tracker(Protocol):
    """A run that is tracked."""

    def log(self, numbers: dict[str, float], *, step: int) -> Any:
        """Numbers by name after some step."""

    def finish(self) -> Any:
        """Write out what was not written yet."""


@dataclass(frozen=True)
class Tracked:
    """What trackers are told of a training."""

    folder: Path
    """Of the artifact, in its making."""
    log: LogConfig
    settings: Mapping[str, Any]
    start: int
    """The step it goes on from."""

    @property
    def name(self) -> str:
        """The artifact's."""
        return self.folder.name.removeprefix(".")

    @property
    def mode(self) -> str:
        """As wandb and swanlab call it."""
        return "online" if self.log.online else "offline"

    def beside(self, tracker: str) -> str:
        """A folder for what a tracker writes."""
        path = self.folder.parent / KEPT / tracker
        path.mkdir(parents=True, exist_ok=True)
        return str(path)


def open_trackers(run: Tracked) -> list[Tracker]:
    """Those that were asked for."""
    return [TRACKERS[name](run) for name in run.log.track]


def check_trackers(log: LogConfig) -> None:
    """Raise `MissingError` where the package of a tracker that was asked for is not installed; imports none."""
    for name in log.track:
        if importlib.util.find_spec(name) is None:
            raise MissingError(f"log.track: {name} is not installed", 'get it with: pip install "sluicegate[track]"')


class TensorBoard:
    """Event files in the artifact."""

    def __init__(self, run: Tracked) -> None:
        from torch.utils.tensorboard import SummaryWriter

        after = run.start + 1  # what a stopped attempt told beyond it does not count
        folder = str(run.folder / EVENTS)
        self.writer: Any = SummaryWriter(folder, purge_step=after, flush_secs=FLUSH_S)  # type: ignore[no-untyped-call]

    def log(self, numbers: dict[str, float], *, step: int) -> None:
        """A point in the chart of each name."""
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)

    def finish(self) -> None:
        """Close the file."""
        self.writer.close()


def wandb(run: Tracked) -> Any:
    """Weights & Biases; `wandb sync` sends what was kept offline."""
    told = {"project": run.log.project, "name": run.name, "id": run.name, "config": dict(run.settings)}
    return _package("wandb").init(**told, resume="allow", mode=run.mode, dir=run.beside("wandb"))


def swanlab(run: Tracked) -> Any:
    """SwanLab; `swanlab sync` sends what was kept offline."""
    told = {"project": run.log.project, "name": run.name, "config": dict(run.settings)}
    return _package("swanlab").init(**told, mode=run.mode, log_dir=run.beside("swanlab"))


def trackio(run: Tracked) -> Any:
    """Trackio, which keeps its runs in a folder of its own that `trackio show` reads."""
    told = {"project": run.log.project, "name": run.name, "config": dict(run.settings)}
    with _unset(() if run.log.online else ELSEWHERE):
        return _package("trackio").init(**told, resume="allow", embed=False)


TRACKERS: dict[str, Callable[[Tracked], Tracker]] = {
    "tensorboard": TensorBoard,
    "wandb": wandb,
    "trackio": trackio,
    "swanlab": swanlab,
}


def _package(name: str) -> Any:
    return importlib.import_module(name)


@contextmanager
def _unset(names: tuple[str, ...]) -> Iterator[None]:
    """Without some variables of the environment."""
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
