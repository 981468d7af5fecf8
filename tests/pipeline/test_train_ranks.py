"""One training, one folder, however many processes share it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.errors import ConfigError
from train_processes import TORCHRUN, asked, assert_close, ended, make_inputs, model, started, trained

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


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_sharded_model_ends_where_a_whole_one_ends(inputs: Path, tmp_path: Path, method: str) -> None:
    trained(asked(inputs, "sft", tmp_path / "one", f"method={method}"))
    trained(asked(inputs, "sft", tmp_path / "two", f"method={method}", "launch={processes: 2, strategy: fsdp}"))
    assert_close(model(tmp_path / "two"), model(tmp_path / "one"), tolerance=2e-5)
