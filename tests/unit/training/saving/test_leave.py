"""Signals in the middle of a training."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from sluicegate.testing import tiny_model
from sluicegate.training.saving import leave
from sluicegate.training.saving.checkpoints import FOLDER
from sluicegate.training.saving.leave import Leave
from sluicegate.training.watching.callbacks import ShowProgress
from tunings import assert_same, tuned


def test_the_first_signal_is_noted_and_the_second_ends_all(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Leave("fine-tuning") as heard:
        assert not heard.asked
        signal.raise_signal(signal.SIGTERM)
        assert heard.asked
        assert "fine-tuning ends after this step; a second signal ends it at once" in capfd.readouterr().err
        signal.raise_signal(signal.SIGTERM)  # as a launcher passes it on
        monkeypatch.setattr(leave, "ECHO_S", 0.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_a_thread_it_hears_nothing() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def enter() -> None:
        with Leave("fine-tuning"):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_training_that_is_told_to_end_saves_itself_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base, settings = tiny_model(tmp_path / "base"), {"method": "lora", "checkpoints": {}}
    whole = tuned("sft", base, tmp_path / "whole", **settings)
    moves = ShowProgress.on_step_end

    def told(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        moves(self, args, state, control, **kwargs)
        if state.global_step == 2:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(ShowProgress, "on_step_end", told)
        with pytest.raises(KeyboardInterrupt):
            tuned("sft", base, tmp_path / "out", **settings)
    assert "left off after step 3 of 5: the same command goes on from there" in capsys.readouterr().err
    assert (tmp_path / "out" / FOLDER / "step-000003").is_dir()
    assert_same(tuned("sft", base, tmp_path / "out", **settings), whole)
