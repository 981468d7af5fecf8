from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sluicegate.training.watching import pace
from sluicegate.training.watching.pace import Pace, peak_memory

CPU = torch.device("cpu")


def test_evaluations_and_checkpoints_are_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock says 0, 1, 2, …: a second passes between any two looks at it."""
    now = iter(range(99))
    monkeypatch.setattr(pace.time, "perf_counter", lambda: float(next(now)))
    state: Any = SimpleNamespace(log_history=[])
    watch = Pace(CPU)

    def step(*pauses: Any) -> float:
        watch.on_step_end(None, state, None)
        state.log_history.append({"loss": 1.0})
        watch.on_log(None, state, None, logs={"loss": 1.0})
        for pause in pauses:
            next(now), next(now), pause(None, state, None)
        return state.log_history[-1]["seconds"]

    watch.on_train_begin(None, state, None)
    assert [step(watch.on_evaluate, watch.on_save), step(watch.on_save), step(), step()] == [1.0, 1.0, 1.0, 1.0]


def test_an_evaluation_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    state: Any = SimpleNamespace(log_history=[{"eval_loss": 1.0}])
    Pace(CPU).on_log(None, state, None, logs={"eval_loss": 1.0})
    assert state.log_history == [{"eval_loss": 1.0}]


def test_the_peak_of_a_cpu_is_what_was_resident() -> None:
    held = torch.ones(64 * 2**20)  # 256 MiB
    assert peak_memory(CPU) > held.nbytes
