from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, external
from sluicegate.config import build
from sluicegate.stages.orpo import Orpo
from sluicegate.testing import check_stage, tiny_model
from tiny_pairs import pairs_artifact, tiny_pairs

QUICK = {"max_steps": 2, "total_batch": 4, "learning_rate": 1e-3, "workers": 1}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("base")).resolve(), "model-external-0")


def orpo(out: Path, inputs: dict[str, Artifact], **config: Any) -> dict[str, Any]:
    out.mkdir(parents=True)
    return Orpo().fill(out, build(Orpo.Config, {**QUICK, **config}), inputs)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_contract(method: str, base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(10))}
    made = check_stage(Orpo, {**QUICK, "method": method}, inputs, tmp_path / "made")
    told = json.loads((made.path / "training.json").read_text(encoding="utf-8"))
    assert (told["stage"], told["method"], told["settings"]["beta"]) == ("orpo", method, 0.1)
    assert not (made.path.parent / ".reference").exists(), "it needs none"


def test_a_base_model_learns_the_chosen_sides_and_comes_to_prefer_them(base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(24))}
    stats = orpo(tmp_path / "out", inputs, method="full", max_steps=40, total_batch=8, learning_rate=1e-2)
    curve = json.loads((tmp_path / "out" / "training.json").read_text(encoding="utf-8"))["curve"]
    assert stats["reward_accuracy"] > 0.9 > curve[0]["rewards/accuracies"]
    assert stats["loss"] < 0.7 * curve[0]["loss"]


def test_nothing_is_shown_but_what_is_ours(base: Artifact, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from datasets import enable_progress_bars

    enable_progress_bars()
    orpo(tmp_path / "out", {"model": base, "data": pairs_artifact(tmp_path, tiny_pairs(6))})
    said = capfd.readouterr()
    assert not re.search(r"it/s|examples/s|trl|TRL", said.err + said.out)
    assert not said.out
