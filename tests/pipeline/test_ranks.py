"""Runs by two processes of a launcher: who makes what, who is called in, and how they end when one of them fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Store
from sluicegate.pipeline import load_lock

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
PATIENCE = 60
STEPS: dict[str, Any] = {
    "one": {"stage": "write", "text": "abba"},
    "both": {"stage": "meet"},
    "parts": {"stage": "count_together", "data": "one"},
    "sums": {"stage": "count", "data": "one"},
}


def under_torchrun(steps: Mapping[str, Any], out: Path, *options: str) -> tuple[int, str]:
    """The exit code of two processes that run a recipe together, and what they said."""
    recipe = out.with_suffix(".yaml")
    recipe.write_text(json.dumps({"steps": steps}), encoding="utf-8")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tiny_stages"]
    command = [sys.executable, *launcher, "run", str(recipe), "--out", str(out), *options]
    world = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=world, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    return done.returncode, done.stderr


def logged(out: Path, rank: int) -> str:
    return (out / f"log/rank{rank}.log").read_text(encoding="utf-8")


def folders(store: Path) -> list[str]:
    return sorted(path.name for path in store.iterdir() if path.is_dir())


def test_the_first_makes_what_the_others_wait_for_and_calls_them_in_where_all_work(tmp_path: Path) -> None:
    code, said = under_torchrun(STEPS, tmp_path / "run")
    assert code == 0, said
    store, lock = Store(tmp_path / "run/artifacts"), load_lock(tmp_path / "run")
    assert list(lock) == list(STEPS)
    assert [entry["path"] for entry in store.open(lock["both"]).manifest["files"]] == ["0", "1"]
    assert folders(store.root) == sorted(lock.values()), "one folder for each, and nothing hidden"
    for name in STEPS:
        assert said.count(f"{name:5s}  make") == 1, "only the first speaks"
        assert f"{name:5s}  make" in logged(tmp_path / "run", 1), "all go through the same steps"
    code, said = under_torchrun(STEPS, tmp_path / "run")
    assert (code, said.count("  have  "), said.count("  make  ")) == (0, 4, 0), said


@pytest.mark.parametrize("fails", [[0], [1], [0, 1]])
def test_one_that_fails_takes_the_others_with_it_and_tells_why_once(tmp_path: Path, fails: list[int]) -> None:
    start = time.monotonic()
    code, said = under_torchrun({"both": {"stage": "meet", "fails": fails}}, tmp_path / "run")
    assert code != 0
    assert time.monotonic() - start < PATIENCE / 2, "the others wait for what will never come"
    assert said.count("error: process ") == 1, said
    assert said.count("error: ") == 1, said
    assert "finds the text wanting" in logged(tmp_path / "run", fails[0])
    assert folders(tmp_path / "run/artifacts") == []


def test_one_that_is_shot_takes_the_others_with_it(tmp_path: Path) -> None:
    start = time.monotonic()
    code, _ = under_torchrun({"both": {"stage": "meet", "dies": 1}}, tmp_path / "run")
    assert code != 0
    assert time.monotonic() - start < PATIENCE / 2


def test_a_failure_elsewhere_is_heard_where_one_waits_for_the_first(tmp_path: Path) -> None:
    steps = {"one": {"stage": "refuse", "text": "bad"}, "both": {"stage": "meet"}}
    code, said = under_torchrun(steps, tmp_path / "run")
    assert (code != 0, said.count("error: the text is not good")) == (True, 1), said


def test_together_they_cannot_go_on_past_an_error(tmp_path: Path) -> None:
    code, said = under_torchrun(STEPS, tmp_path / "run", "--continue-on-error")
    assert (code != 0, said.count("error: continue_on_error: 2 processes end together")) == (True, 1), said
