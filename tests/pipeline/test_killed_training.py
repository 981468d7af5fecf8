"""A training that is shot dead goes on from its last checkpoint, and nobody can tell from the model."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from dying_runs import TRAINING_MOMENTS, start
from sluicegate.artifacts import Artifact
from sluicegate.pipeline import run
from sluicegate.stages.sft import Sft
from sluicegate.testing import tiny_model, tiny_pool
from sluicegate.training.saving.resumable import Resumable
from tiny_pairs import tiny_pairs

pytestmark = pytest.mark.slow

STEPS, NTH = 6, 3
LEFT = {
    "while a checkpoint is written": STEPS - 1,  # two files are written for each
    "before a checkpoint is sealed": STEPS - NTH,
    "before a checkpoint is in place": STEPS - NTH,
    "before the model is sealed": 0,
}
"""Steps that are done after the kill."""


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("inputs")
    tables = {"sft": [{"messages": record["messages"]} for record in tiny_pool(20)], "dpo": tiny_pairs(20)}
    common = {"model": str(tiny_model(folder / "base")), "max_steps": STEPS, "total_batch": 4}
    common |= {"learning_rate": 1e-2, "method": "lora", "lora": {"dropout": 0.1}, "log": {"track": []}}
    common |= {"checkpoints": {"every": 1, "keep": 2, "leave": 1}}
    for stage, rows in tables.items():
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{stage}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return {
        stage: {"vars": {}, "steps": {"model": {"stage": stage, "data": str(folder / f"{stage}.jsonl"), **common}}}
        for stage in tables
    }


@pytest.fixture(scope="module")
def whole(recipes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    """Made without a kill."""
    return {stage: run(recipe, tmp_path_factory.mktemp("whole"))["model"] for stage, recipe in recipes.items()}


def files(made: Artifact) -> list[dict[str, Any]]:
    """All but those that tell how long it took."""
    return [entry for entry in made.manifest["files"] if entry["path"] not in Sft.timed]


@pytest.mark.parametrize("stage", ["sft", "dpo"])
@pytest.mark.parametrize("moment", TRAINING_MOMENTS)
def test_a_training_killed(
    moment: str,
    stage: str,
    recipes: dict[str, Any],
    whole: dict[str, Artifact],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = start(recipes[stage], tmp_path, moment, NTH if "checkpoint" in moment else 0)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    saved: list[int] = []
    save = Resumable._save_checkpoint
    monkeypatch.setattr(
        Resumable, "_save_checkpoint", lambda self, *args: saved.append(self.state.global_step) or save(self, *args)
    )
    made = run(recipes[stage], tmp_path)["model"]
    assert len(saved) == LEFT[moment]
    assert files(made) == files(whole[stage])
    assert made.stats == whole[stage].stats
    told, expected = (
        json.loads((one.path / "training.json").read_text(encoding="utf-8")) for one in (made, whole[stage])
    )
    assert told["curve"] == expected["curve"]
    hidden = [path.name for path in (tmp_path / "artifacts").iterdir() if path.name.startswith(".model")]
    assert hidden == []
