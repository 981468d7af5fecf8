"""Which checkpoints of a training are written, held, gone on from and left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.training.saving.checkpoint_config import CheckpointConfig
from sluicegate.training.saving.checkpoints import FLOOR_S, Checkpoints


def checkpoints(out: Path, steps: int = 100, **config: Any) -> Checkpoints:
    return Checkpoints(out, build(CheckpointConfig, config), steps)


def write(kept: Checkpoints, *steps: int, best: int | None = None) -> None:
    for step in steps:
        kept.write(step, lambda folder: (folder / "weights").write_bytes(b"0") and None, {"metrics": {}, "best": best})


def due(kept: Checkpoints, waited: bool) -> list[int]:
    return [step for step in range(1, 101) if kept.due(step, waited)]


def test_by_itself_one_comes_every_tenth_where_the_last_is_old(tmp_path: Path) -> None:
    assert due(checkpoints(tmp_path), waited=True) == list(range(10, 101, 10))
    assert due(checkpoints(tmp_path), waited=False) == []
    assert due(checkpoints(tmp_path, leave=1), waited=False) == list(range(10, 101, 10)), "whatever the machine's pace"


def test_one_that_is_asked_for_comes_in_any_case(tmp_path: Path) -> None:
    assert due(checkpoints(tmp_path, every=30), waited=False) == [30, 60, 90]
    assert due(checkpoints(tmp_path, every=0), waited=True) == []


def test_the_floor_is_counted_from_the_last(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    assert not kept.waited()
    kept.written_at -= FLOOR_S
    assert kept.waited()
    write(kept, 10)
    assert not kept.waited()


@pytest.mark.parametrize(
    ("config", "best", "held"),
    [({}, None, [50]), ({"keep": 2}, None, [47, 50]), ({"leave": 2}, None, [40, 50]), ({"keep": 2}, 30, [30, 47, 50])],
)
def test_what_is_held(config: dict[str, Any], best: int | None, held: list[int], tmp_path: Path) -> None:
    kept = checkpoints(tmp_path, **config)
    write(kept, 10, 20, 30, 40, 47, 50, best=best)  # at 47 it was told to end
    kept.rotate()
    assert kept.steps() == held


def test_those_that_are_left_come_at_their_steps(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path, leave=2)
    write(kept, 10, 20, 25)
    assert kept.to_leave() == [10, 20]


def spoil_weights(path: Path) -> None:
    (path / "weights").write_bytes(b"1")


def lose_weights(path: Path) -> None:
    (path / "weights").unlink()


def lose_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()


@pytest.mark.parametrize("spoil", [spoil_weights, lose_weights, lose_manifest])
def test_the_newest_whole_one_is_gone_on_from(
    spoil: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = checkpoints(tmp_path)
    write(kept, 10, 20, 30)
    spoil(kept.at(30))
    assert kept.pick_up() == kept.at(20)
    assert capsys.readouterr().err.count("passing over a checkpoint") == 1
    assert kept.steps() == [10, 20]
    write(kept, 30)
    assert kept.pick_up() == kept.at(30)


def test_one_whose_best_is_lost_is_passed_over(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    write(kept, 10, 20, best=10)
    write(kept, 30, best=20)
    spoil_weights(kept.at(20))
    assert kept.pick_up() == kept.at(10)


def test_half_a_checkpoint_is_told_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = checkpoints(tmp_path)
    write(kept, 10)
    kept.at(10).rename(kept.store.root / ".step-000020")
    assert kept.pick_up() is None
    assert "step-000020 was not written to its end" in capsys.readouterr().err


def test_what_led_astray_is_taken_away_in_the_next_attempt_too(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    write(kept, 10, 20, 30)
    kept.rewind({"back_to": 10})
    assert kept.steps() == [10]
    write(kept, 20)
    assert kept.pick_up() == kept.at(20), "it was written after the rewind"
    assert checkpoints(tmp_path).rewinds() == [{"back_to": 10}]


def test_settings_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="take: best needs a metric"):
        build(CheckpointConfig, {"take": "best"})
    with pytest.raises(ConfigError, match="leave: 1 of no checkpoints"):
        build(CheckpointConfig, {"every": 0, "leave": 1})
