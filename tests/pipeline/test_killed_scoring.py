"""A scoring run that is shot dead goes on where it stood, and nobody can tell from what it made."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from dying_runs import MOMENTS, start
from fake_gates import fake_gate, model_in
from sluicegate.artifacts import Artifact
from sluicegate.pipeline import run
from sluicegate.scoring.forward import Reader
from sluicegate.testing import repeatable, tiny_model, tiny_pool

pytestmark = pytest.mark.slow

ROWS, NTH = 30, 7
TWICE = 2 * ROWS
"""Two passes: the gate reads a copy of the base."""
READ_AGAIN = {
    "while a shard is written": TWICE - NTH,
    "before a shard is in place": TWICE - NTH,
    "while the table is merged": 0,
    "before the table is in place": 0,
    "while shards are taken away": 0,
    "before the seal": 0,
}
"""Rows that are scored once more, where each shard is one."""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("inputs")
    lines = [json.dumps({"messages": record["messages"]}, ensure_ascii=False) for record in tiny_pool(ROWS)]
    (folder / "pool.jsonl").write_text("\n".join(lines), encoding="utf-8")
    base = model_in(tiny_model(folder / "base"))
    gate = fake_gate(folder / "gates", base, copy=True)
    step = {"stage": "score", "data": str(folder / "pool.jsonl"), "model": str(base.path), "gate": str(gate.path)}
    options = {"signals": ["gate", "perplexity", "random"], "detail": "tokens", "shard_rows": 1}
    return {"vars": {}, "steps": {"scores": step | options}}


@pytest.fixture(scope="module")
def whole(recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Made without a kill."""
    return run(recipe, tmp_path_factory.mktemp("whole"))["scores"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each shard had that this process read."""
    see, rows = Reader.see, []
    monkeypatch.setattr(Reader, "see", lambda self, shard, *args: rows.append(len(shard)) or see(self, shard, *args))
    return rows


def assert_same(made: Artifact, whole: Artifact) -> None:
    assert made.id == whole.id
    assert made.manifest["files"] == whole.manifest["files"]
    assert repeatable(made) == repeatable(whole)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed(moment: str, recipe: dict[str, Any], whole: Artifact, tmp_path: Path, read: list[int]) -> None:
    process = start(recipe, tmp_path, moment, 0 if moment.startswith("before the") else NTH)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert not list(tmp_path.glob("artifacts/scores-*")), "a killed step leaves no artifact"
    made = run(recipe, tmp_path)["scores"]
    assert sum(read) == READ_AGAIN[moment], "what was done before the kill is not done again"
    assert_same(made, whole)


def test_a_run_killed_over_and_over(recipe: dict[str, Any], whole: Artifact, tmp_path: Path) -> None:
    rng = random.Random(0)
    for _ in range(6):
        process = start(recipe, tmp_path)
        process.join(rng.uniform(0.1, 3))
        process.kill()
        process.join(60)
    assert_same(run(recipe, tmp_path)["scores"], whole)
