"""What is held out is measured alike, and told once, however many processes share a training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact
from sluicegate.testing import tiny_pool
from tiny_pairs import tiny_pairs
from train_processes import TORCHRUN, asked, make_inputs, model, trained

pytestmark = pytest.mark.slow

HELD_OUT = 7
"""Rows, or pairs, that two processes cannot share evenly."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    tables = {"sft": [{"messages": row["messages"]} for row in tiny_pool(50)[-HELD_OUT:]]}
    tables |= dict.fromkeys(("dpo", "orpo"), tiny_pairs(40)[-HELD_OUT:])
    for name, rows in tables.items():
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def watched(made: Artifact) -> tuple[list[dict[str, float]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Evaluations, answers, and the lines of steps."""
    told, answers = (
        [json.loads(line) for line in (made.path / name).read_text(encoding="utf-8").splitlines()]
        for name in ("metrics.jsonl", "answers.jsonl")
    )
    evaluations = json.loads((made.path / "training.json").read_text(encoding="utf-8"))["evaluations"]
    return evaluations, answers, [line for line in told if line["split"] == "train"]


@pytest.mark.parametrize(
    ("stage", "more"), [("sft", []), ("sft", ["launch={processes: 2, strategy: fsdp}"]), ("dpo", []), ("orpo", [])]
)
def test_two_processes_measure_what_one_does(stage: str, more: list[str], inputs: Path, tmp_path: Path) -> None:
    watch = [f"held_out={inputs / stage}.jsonl", "watch={every: 2, max_new_tokens: 3, prompts: 2}", "method=full"]
    trained(asked(inputs, stage, tmp_path / "one", *watch))
    launch = () if more else TORCHRUN
    trained([*launch, *asked(inputs, stage, tmp_path / "two", *watch, *more)])
    one, two = (watched(model(tmp_path / name)) for name in ("one", "two"))
    assert [found["step"] for found in two[0]] == [2, 4, 5]
    for expected, found in zip(one[0], two[0], strict=True):
        assert found == pytest.approx(expected, rel=2e-4, abs=1e-5)
    assert [(line["step"], line["id"]) for line in two[1]] == [(line["step"], line["id"]) for line in one[1]]
    assert [(line["step"], line["samples"]) for line in two[2]] == [(step, 8 * step) for step in range(1, 6)]
    assert len(list((model(tmp_path / "two").path / "tensorboard").iterdir())) == 1, "of the first process alone"
