from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sluicegate.training.watching.trackers import EVENTS, Tracked, open_trackers
from sluicegate.training.watching.watch_config import LogConfig


def tracked(folder: Path, start: int = 0, **log: Any) -> Tracked:
    return Tracked(folder / "artifacts" / ".model-1", LogConfig(**log), {"epochs": 3}, start)


def read(folder: Path) -> dict[int, float]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return {event.step: event.value for event in events.Scalars("train/loss")}


def test_tensorboard_reads_what_was_told_and_what_was_told_again(tmp_path: Path) -> None:
    for start, value in ((0, 1.0), (2, 5.0)):
        run = tracked(tmp_path, start)
        [board] = open_trackers(run)
        for step in range(start + 1, 5):
            board.log({"train/loss": value + step}, step=step)
        board.finish()
    assert read(run.folder / EVENTS) == {1: 2.0, 2: 3.0, 3: 8.0, 4: 9.0}


class Fake(ModuleType):
    """A tracker's package that keeps what it is told."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told: dict[str, Any] = {}
        self.logged: list[Any] = []
        self.space: str | None = None

    def init(self, **told: Any) -> Fake:
        self.told, self.space = told, os.environ.get("TRACKIO_SPACE_ID")
        return self

    def log(self, numbers: dict[str, float], *, step: int) -> None:
        self.logged.append((step, numbers))

    def finish(self) -> None:
        self.logged.append("end")


@pytest.mark.parametrize("name", ["wandb", "trackio", "swanlab"])
def test_the_others_get_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Fake(name)
    monkeypatch.setitem(sys.modules, name, package)
    [run] = open_trackers(tracked(tmp_path, track=[name], project="mine"))
    run.log({"train/loss": 1.0}, step=3)
    run.finish()
    assert package.logged == [(3, {"train/loss": 1.0}), "end"]
    assert {key: package.told[key] for key in ("project", "name", "config")} == {
        "project": "mine",
        "name": "model-1",
        "config": {"epochs": 3},
    }


@pytest.mark.parametrize(("name", "key"), [("wandb", "dir"), ("swanlab", "log_dir")])
@pytest.mark.parametrize(("online", "mode"), [(False, "offline"), (True, "online")])
def test_nothing_leaves_the_machine_unless_it_may(
    name: str, key: str, online: bool, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Fake(name)
    monkeypatch.setitem(sys.modules, name, package)
    open_trackers(tracked(tmp_path, track=[name], online=online))
    assert package.told["mode"] == mode
    assert package.told[key] == str(tmp_path / "artifacts" / ".track" / name), "beside the artifacts, in none of them"
    assert Path(package.told[key]).is_dir()


@pytest.mark.parametrize(("online", "space"), [(False, None), (True, "me/space")])
def test_trackio_hears_of_no_space_offline(
    online: bool, space: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Fake("trackio")
    monkeypatch.setitem(sys.modules, "trackio", package)
    monkeypatch.setenv("TRACKIO_SPACE_ID", "me/space")
    open_trackers(tracked(tmp_path, track=["trackio"], online=online))
    assert package.space == space
    assert os.environ["TRACKIO_SPACE_ID"] == "me/space"
