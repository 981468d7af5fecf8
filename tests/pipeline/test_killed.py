"""SIGKILL in the middle of real stages: nothing half-made can be seen, and the same command ends in the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Store
from sluicegate.pipeline import load_lock

RECIPE = """
steps:
  pool: {stage: prepare, sources: [{world: {make: pool, rows: 5000}}], dedup: none}
  few: {stage: prepare, sources: [{world: {make: clean, rows: 300}}]}
  base:
    {stage: pretrain, data: few, steps: 60, checkpoint_every: 2, vocab_size: 300, threads: 1,
     model: {layers: 2, width: 16, heads: 2, kv_heads: 1}}
  scores: {stage: score, data: few, model: base, signals: [perplexity, length], shard_rows: 8}
  result: {stage: evaluate, model: base, data: few, task: world, max_new_tokens: 8, batch_size: 4}
"""
PARTIAL = {
    "pool": ".messages-*/messages.parquet",
    "base": ".model-*/checkpoint.safetensors",
    "scores": ".scores-*/shards/*-000000000016-8.parquet",
    "result": ".evaluation-*/replies.jsonl.draft",
}
"""Step to a file that stands, and holds something, while it is half-made."""


def start(out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sluicegate", "run", str(out.parent / "r.yaml"), f"out={out}"]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})


def kill_once_there_is(pattern: str, out: Path) -> None:
    """Run until a file of a half-made artifact stands, and kill."""
    process = start(out)
    while not any(path.stat().st_size for path in (out / "artifacts").glob(pattern)):
        assert process.poll() is None, f"the run ended before {pattern} was seen"
        time.sleep(0.002)
    process.kill()
    process.wait()


def files(out: Path) -> dict[str, Any]:
    store = Store(out / "artifacts")
    return {name: store.open(i).manifest["files"] for name, i in load_lock(out).items()}


@pytest.mark.slow
def test_a_run_killed_in_every_stage_ends_as_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE, encoding="utf-8")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for step, pattern in PARTIAL.items():
        kill_once_there_is(pattern, killed)
        assert step not in load_lock(killed)
        assert set(Store(killed / "artifacts").ids()) == set(load_lock(killed).values())
    for out in (killed, whole):
        assert start(out).wait() == 0
    assert list(load_lock(whole)) == ["pool", "few", "base", "scores", "result"]
    assert load_lock(killed) == load_lock(whole)
    assert files(killed) == files(whole)
    for artifact_id in load_lock(killed).values():
        Store(killed / "artifacts").open(artifact_id).verify()
    hidden = [p.name for p in (killed / "artifacts").iterdir() if p.name.startswith(".")]
    assert hidden == [".tokens"], "the texts as tokens stay, for whoever trains on them again"
