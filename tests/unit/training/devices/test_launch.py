"""What is told of processes that were started for a step; tests/pipeline/test_train_ranks.py starts some."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sluicegate.peers import FAILURE
from sluicegate.training.devices.launch import _shot, _surroundings


def failure(code: int) -> Any:
    return SimpleNamespace(exitcode=code, signal_name=lambda: signal.Signals(-code).name)


def test_one_that_was_shot_is_named_before_those_that_miss_it(tmp_path: Path) -> None:
    told = _shot({0: failure(1), 2: failure(-signal.SIGKILL)}, tmp_path)
    assert str(told).startswith("process 2 was ended by SIGKILL\nhint: out of memory")
    assert _shot({0: failure(1), 1: failure(-signal.SIGTERM)}, tmp_path) is None, "told to end, for another failed"


def test_nothing_is_left_of_a_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    with _surroundings(tmp_path / "failure.json", 2):
        assert os.environ[FAILURE] == str(tmp_path / "failure.json")
        assert os.environ["OMP_NUM_THREADS"] == "3", "as the user says"
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert dict(os.environ) == before
    assert signal.getsignal(signal.SIGTERM) == handler
    assert not logging.root.manager.disable


def test_processes_share_the_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    with _surroundings(tmp_path / "failure.json", 3):
        assert os.environ["OMP_NUM_THREADS"] == "2"
