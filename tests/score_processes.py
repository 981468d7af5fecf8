"""Scoring in processes of their own, with one thread each: sums come out in another order with another number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fake_gates import fake_gate, model_in
from sluicegate.artifacts import Artifact, Store
from sluicegate.testing import repeatable, tiny_model, tiny_pool

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
PATIENCE = 240
SIGNALS = ("gate", "perplexity", "random", "ifd", "rds", "probe", "boost")
"""The last three learn in every process, from the pool itself."""


def make_inputs(folder: Path, rows: int) -> None:
    """A pool, a base, and a gate that reads a copy of it."""
    lines = [json.dumps({"messages": record["messages"]}, ensure_ascii=False) for record in tiny_pool(rows)]
    (folder / "pool.jsonl").write_text("\n".join(lines), encoding="utf-8")
    gate = fake_gate(folder / "gates", model_in(tiny_model(folder / "base")), copy=True)
    (folder / "gate").symlink_to(gate.path)


def asked(inputs: Path, out: Path, *overrides: str) -> list[str]:
    """What to ask Python for: scores of every kind for `make_inputs`, four rows a shard."""
    named = [f"data={inputs / 'pool.jsonl'}", f"model={inputs / 'base'}", f"gate={inputs / 'gate'}"]
    named += [f"trusted={inputs / 'pool.jsonl'}", f"signals=[{','.join(SIGNALS)}]", "detail=tokens"]
    return ["-m", "sluicegate", "score", *named, "shard_rows=4", f"out={out}", *overrides]


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Python, with these arguments."""
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said; one that hangs is killed, and fails the test."""
    try:
        said = process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()
    return process.returncode, said


def done(process: subprocess.Popen[str]) -> str:
    """What it said, once it ended well."""
    code, said = end(process)
    assert code == 0, said
    return said


def scores(out: Path) -> Artifact:
    """The one table of scores made in a run's folder."""
    store = Store(out / "artifacts")
    (found,) = [store.open(i) for i in store.ids() if i.startswith("scores-")]
    return found


def assert_same(made: Artifact, other: Artifact) -> None:
    """Every file, byte for byte, and every number but the seconds."""
    assert made.id == other.id
    assert made.manifest["files"] == other.manifest["files"]
    assert repeatable(made) == repeatable(other)
