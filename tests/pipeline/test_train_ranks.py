"""One training, one folder, however many processes share it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from sluicegate.errors import ConfigError
from train_processes import PATIENCE, TORCHRUN, asked, assert_close, ended, make_inputs, model, started, trained

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.mark.parametrize(
    ("stage", "method"), [("sft", "full"), ("sft", "lora"), ("dpo", "full"), ("dpo", "lora"), ("orpo", "full")]
)
def test_two_processes_end_where_one_ends(inputs: Path, tmp_path: Path, stage: str, method: str) -> None:
    trained(asked(inputs, stage, tmp_path / "one", f"method={method}"))
    said = trained([*TORCHRUN, *asked(inputs, stage, tmp_path / "two", f"method={method}")])
    assert said.count("made  in") == 2, "prepare and the training, told by the first alone"
    assert_close(model(tmp_path / "two"), model(tmp_path / "one"), tolerance=2e-5)


def test_a_step_that_asks_for_two_processes_gets_them(inputs: Path, tmp_path: Path) -> None:
    trained(asked(inputs, "sft", tmp_path / "one"))
    said = trained(asked(inputs, "sft", tmp_path / "two", "launch.processes=2"))
    assert (said.count("start 2 processes"), said.count("sft       make"), said.count("made  in")) == (1, 1, 2), said
    assert_close(model(tmp_path / "two"), model(tmp_path / "one"), tolerance=2e-5)
    assert "made  in" in (tmp_path / "two/log/rank1.log").read_text(encoding="utf-8")


def test_an_error_of_theirs_is_told_once_with_its_exit_code(inputs: Path, tmp_path: Path) -> None:
    code, said = ended(started(asked(inputs, "sft", tmp_path, "launch.processes=3")))
    assert (code, said.count("error: ")) == (ConfigError.exit_code, 1), said
    assert "error: total_batch 8 cannot be shared by 3 processes\nhint: total_batch=6 or total_batch=9" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("stage", "method"), [("sft", "full"), ("sft", "lora"), ("dpo", "full"), ("dpo", "lora")])
def test_a_sharded_model_ends_where_a_whole_one_ends(inputs: Path, tmp_path: Path, stage: str, method: str) -> None:
    trained(asked(inputs, stage, tmp_path / "one", f"method={method}"))
    trained(asked(inputs, stage, tmp_path / "two", f"method={method}", "launch={processes: 2, strategy: fsdp}"))
    assert_close(model(tmp_path / "two"), model(tmp_path / "one"), tolerance=2e-5)


@pytest.mark.skipif(find_spec("deepspeed") is None, reason="DeepSpeed is not installed")
@pytest.mark.parametrize("stage", [2, 3])
def test_a_model_that_zero_shares_out_ends_there_too(
    inputs: Path, tmp_path: Path, stage: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    trained(asked(inputs, "sft", tmp_path / "one"))
    way = f"launch={{processes: 2, strategy: deepspeed_zero{stage}}}"
    trained(asked(inputs, "sft", tmp_path / "two", way, "checkpoints.every=0"))
    assert_close(model(tmp_path / "two"), model(tmp_path / "one"), tolerance=2e-5)


# Ended ahead of time ------------------------------------------------------------------------------------------------


@pytest.fixture
def launched(inputs: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run whose two processes are in the middle of a long training."""
    run = started(asked(inputs, "sft", tmp_path, "launch.processes=2", "max_steps=4000"))
    metrics = tmp_path / "artifacts"
    deadline = time.monotonic() + PATIENCE
    while not any(path.stat().st_size for path in metrics.glob(".model-*/metrics.jsonl")):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield run
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)


def workers(run: subprocess.Popen[str]) -> list[int]:
    """The processes that train."""
    return [
        int(pid) for pid in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split() if trains(int(pid))
    ]


def trains(pid: int) -> bool:
    return b"--only" in Path(f"/proc/{pid}/cmdline").read_bytes()


def gone(pid: int) -> bool:
    """Whether a process ended; one whose end nobody has asked about yet, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_one_that_is_shot_takes_the_other_with_it(launched: subprocess.Popen[str]) -> None:
    first, second = workers(launched)
    os.kill(second, signal.SIGKILL)
    code, said = ended(launched)
    assert (code, said.count("error: process 1 was ended by SIGKILL"), said.count("error: ")) == (1, 1, 1), said
    assert "Traceback" not in said
    assert gone(first)


def test_a_signal_goes_on_to_all_of_them(launched: subprocess.Popen[str]) -> None:
    both = workers(launched)
    launched.terminate()
    code, said = ended(launched)
    assert (code, said.count("error: interrupted")) == (130, 1), said
    assert all(map(gone, both))


def test_two_processes_go_on_from_where_they_were_shot(inputs: Path, tmp_path: Path) -> None:
    often = ("launch.processes=2", "max_steps=40", "checkpoints.every=10")
    trained(asked(inputs, "sft", tmp_path / "whole", *often))
    run = started(asked(inputs, "sft", tmp_path / "cut", *often))
    deadline = time.monotonic() + PATIENCE
    while not list((tmp_path / "cut/artifacts").glob(".model-*/checkpoints.draft/step-*/manifest.json")):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for pid in (run.pid, *workers(run)):
        os.kill(pid, signal.SIGKILL)
    ended(run)
    said = trained(asked(inputs, "sft", tmp_path / "cut", *often))
    assert "goes on from the checkpoint of step" in said
    assert_close(model(tmp_path / "cut"), model(tmp_path / "whole"), tolerance=0.0)
