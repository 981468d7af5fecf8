"""A scoring run that is shot dead goes on where it stood, and nobody can tell from what it made."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sluicegate.pipeline import run
from sluicegate.scoring.forward import Reader
from sluicegate.testing import tiny_model, tiny_pool

ROWS = 150


def recipe(folder: Path) -> dict[str, Any]:
    step = {"stage": "score", "data": str(folder / "pool.jsonl"), "model": str(folder / "base")}
    return {"vars": {}, "steps": {"scores": {**step, "signals": ["perplexity", "random"], "shard_rows": 1}}}


def kill_while_scoring(folder: Path, out: Path) -> int:
    """Start the run in a process of its own and kill it after a few shards; how many stand."""
    code = f"from pathlib import Path; from sluicegate.pipeline import run; run({recipe(folder)!r}, Path({str(out)!r}))"
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        while child.poll() is None and len(list(out.glob("artifacts/.scores-*/shards/*.parquet"))) < 4:
            time.sleep(0.002)
    finally:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    return len(list(out.glob("artifacts/.scores-*/shards/*.parquet")))


@pytest.mark.slow
def test_shards_done_before_a_kill_are_not_scored_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model(tmp_path / "base")
    lines = [json.dumps({"messages": record["messages"]}, ensure_ascii=False) for record in tiny_pool(ROWS)]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines), encoding="utf-8")
    whole = run(recipe(tmp_path), tmp_path / "whole")["scores"]
    stand = kill_while_scoring(tmp_path, tmp_path / "killed")
    assert 4 <= stand < ROWS
    assert not list(tmp_path.glob("killed/artifacts/scores-*")), "a killed step leaves no artifact"
    see, read = Reader.see, []
    monkeypatch.setattr(Reader, "see", lambda self, rows, *args: read.append(len(rows)) or see(self, rows, *args))
    again = run(recipe(tmp_path), tmp_path / "killed")["scores"]
    assert sum(read) == ROWS - stand
    assert again.id == whole.id
    assert again.manifest["files"] == whole.manifest["files"]
    assert again.stats == whole.stats
