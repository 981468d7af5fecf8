"""One training, one folder, however many processes share it."""

from __future__ import annotations

from pathlib import Path

import pytest

from train_processes import TORCHRUN, asked, assert_close, make_inputs, model, trained

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
