from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sluicegate import runtime


@pytest.fixture(autouse=True)
def no_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts without a log and takes its own away again."""
    from loguru import logger

    monkeypatch.setattr(runtime, "_open_logs", [])
    yield
    logger.remove()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the console shows, which is no terminal."""
    from rich.console import Console

    shown = io.StringIO()
    monkeypatch.setattr(runtime, "console", lambda: Console(file=shown, width=40))
    return shown


def test_one_seed_gives_one_stream_everywhere() -> None:
    def drawn() -> tuple[float, float, float]:
        runtime.seed_everything(2**40 + 1)
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    first = drawn()
    assert drawn() == first
    runtime.seed_everything(2)
    assert random.random() != first[0]


def test_the_dtype_comes_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime.pick_dtype("cpu", "bfloat16") == (torch.bfloat16, "asked for")
    monkeypatch.setattr(runtime, "_cpu_has_bf16", lambda: False)
    assert runtime.pick_dtype("cpu") == (torch.float32, "bfloat16 without hardware for it is many times slower")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert runtime.pick_dtype("cuda:0")[0] == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert runtime.pick_dtype("cuda:0") == (torch.float16, "this GPU has no bfloat16")


def test_a_process_under_a_launcher_takes_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert runtime.pick_device() == "cuda:3"


def test_say_and_warn_reach_the_console_and_the_log(tmp_path: Path, screen: io.StringIO) -> None:
    runtime.open_log(tmp_path / "log")
    runtime.say("kept [3] of {4} rows, which is a line longer than the console is wide")
    runtime.warn("half is cut")
    assert screen.getvalue().splitlines() == [
        "kept [3] of {4} rows, which is a line longer than the console is wide",
        "warning: half is cut",
    ]
    logged = (tmp_path / "log" / "rank0.log").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 2)[2] for line in logged] == [
        "INFO    kept [3] of {4} rows, which is a line longer than the console is wide",
        "WARNING half is cut",
    ]


def test_only_rank_0_speaks_and_every_rank_writes_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setattr(runtime, "console", runtime.console.__wrapped__)
    runtime.open_log(tmp_path)
    runtime.say("hello")
    assert capsys.readouterr() == ("", "")
    assert "hello" in (tmp_path / "rank2.log").read_text(encoding="utf-8")


def test_an_error_goes_to_the_log_with_its_traceback_and_without_values(tmp_path: Path) -> None:
    assert runtime.log_failure(ValueError("early")) is None
    runtime.open_log(tmp_path)
    secret = "hf_token"
    with pytest.raises(ValueError, match="late") as caught:
        int("late" if secret else secret)
    assert runtime.log_failure(caught.value) == tmp_path / "rank0.log"
    logged = (tmp_path / "rank0.log").read_text(encoding="utf-8")
    assert "ERROR   invalid literal for int() with base 10: 'late'" in logged
    assert "Traceback" in logged
    assert Path(__file__).name in logged
    assert "hf_token" not in logged


def test_another_folder_is_another_log(tmp_path: Path, screen: io.StringIO) -> None:
    for name in ("one", "two", "two"):
        runtime.open_log(tmp_path / name)
        runtime.say(f"into {name}")
    assert (tmp_path / "one" / "rank0.log").read_text(encoding="utf-8").count("into") == 1
    assert (tmp_path / "two" / "rank0.log").read_text(encoding="utf-8").count("into two") == 2


def test_track_passes_everything_on_and_says_nothing_of_what_is_short(screen: io.StringIO) -> None:
    assert list(runtime.track(range(5), "counting")) == [0, 1, 2, 3, 4]
    assert list(runtime.track((n for n in "ab"), "spelling", total=2)) == ["a", "b"]
    assert screen.getvalue() == ""


def test_track_shows_how_far_it_is_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    shown = io.StringIO()
    on_terminal = Console(file=shown, force_terminal=True, width=120)
    monkeypatch.setattr(runtime, "console", lambda: on_terminal)
    for n in runtime.track(range(3), "counting rows"):
        assert n in range(3)
    assert "counting rows" in shown.getvalue()
    assert "/3" in shown.getvalue()


def test_the_world_is_one_process_unless_a_launcher_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert (runtime.rank(), runtime.world_size()) == (0, 1)
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert runtime.world_size() == 8
