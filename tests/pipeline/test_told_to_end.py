"""SIGTERM and Ctrl-C in the middle of a training: it saves itself, leaves, and the same command goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from train_processes import TORCHRUN, asked, ended, make_inputs, model, started, trained, weights

pytestmark = pytest.mark.slow

STEPS = 60
LONG = (f"max_steps={STEPS}", "method=lora", "lora.dropout=0.1", "log.every=1", "log.track=[]")
LONG += ("checkpoints.every=1000",)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


def once_it_trains(process: subprocess.Popen[str], out: Path) -> None:
    while not any((out / "artifacts").glob(".model-*/metrics.jsonl")):
        assert process.poll() is None, "it ended before it was told to"
        time.sleep(0.01)


def children(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def assert_same(out: Path, whole: Path) -> None:
    expected = weights(model(whole))
    found = weights(model(out))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], weight) for name, weight in expected.items())


@pytest.mark.parametrize(("stage", "number"), [("sft", signal.SIGTERM), ("orpo", signal.SIGINT)])
def test_one_process(stage: str, number: Any, inputs: Path, tmp_path: Path) -> None:
    process = started(asked(inputs, stage, tmp_path / "out", *LONG))
    once_it_trains(process, tmp_path / "out")
    process.send_signal(number)
    code, said = ended(process)
    assert code == 130, said
    assert "ends after this step; a second signal ends it at once" in said
    assert f"of {STEPS}: the same command goes on from there" in " ".join(said.split())
    said = trained(asked(inputs, stage, tmp_path / "out", *LONG))
    assert "goes on from the checkpoint of step" in said
    trained(asked(inputs, stage, tmp_path / "whole", *LONG))
    assert_same(tmp_path / "out", tmp_path / "whole")


def test_processes_leave_together_whichever_was_told(inputs: Path, tmp_path: Path) -> None:
    process = started([*TORCHRUN, *asked(inputs, "sft", tmp_path / "out", *LONG)])
    once_it_trains(process, tmp_path / "out")
    os.kill(children(process)[-1], signal.SIGTERM)
    code, said = ended(process)
    assert code != 0
    assert "the same command goes on from there" in said
    said = trained([*TORCHRUN, *asked(inputs, "sft", tmp_path / "out", *LONG)])
    assert "goes on from the checkpoint of step" in said
    trained([*TORCHRUN, *asked(inputs, "sft", tmp_path / "whole", *LONG)])
    assert_same(tmp_path / "out", tmp_path / "whole")
