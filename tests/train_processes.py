"""Trainings by the command line, one process or several, and what they end in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from sluicegate.artifacts import Artifact, Store
from sluicegate.testing import tiny_model, tiny_pool
from tiny_pairs import tiny_pairs

PATIENCE = 240
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
SMALL = ("max_steps=5", "total_batch=8", "learning_rate=1e-2")


def make_inputs(folder: Path) -> None:
    """A base, conversations and pairs."""
    tiny_model(folder / "base")
    tables = {"pool": [{"messages": row["messages"]} for row in tiny_pool(40)], "pairs": tiny_pairs(24)}
    for name, rows in tables.items():
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def asked(inputs: Path, stage: str, out: Path, *overrides: str) -> list[str]:
    """What to ask Python for."""
    data = inputs / ("pool.jsonl" if stage in ("sft", "trial") else "pairs.jsonl")
    return ["-m", "sluicegate", stage, f"model={inputs / 'base'}", f"data={data}", f"out={out}", *SMALL, *overrides]


def started(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Python, with these arguments and one thread: sums come out in another order with another number."""
    world = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    command, world = [sys.executable, *arguments], {**world, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=world, stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said; one that hangs is killed, and fails the test."""
    try:
        said = process.communicate(timeout=PATIENCE)[1]
    finally:
        process.kill()
    return process.returncode, said


def trained(arguments: Sequence[str]) -> str:
    """What a training said that ended well."""
    code, said = ended(started(arguments))
    assert code == 0, said
    return said


def model(out: Path) -> Artifact:
    """The one model made in a run's folder."""
    store = Store(out / "artifacts")
    (found,) = [store.open(i) for i in store.ids() if i.startswith("model-")]
    return found


def weights(made: Artifact) -> dict[str, torch.Tensor]:
    """By name, of a whole model or an adapter."""
    (file,) = made.path.glob("*.safetensors")
    return load_file(file)


def names(made: Artifact) -> set[str]:
    """Of its files and folders: how many files tensorboard makes hangs on how often it was opened."""
    return {entry["path"].partition("/")[0] for entry in made.manifest["files"]}


def assert_close(made: Artifact, other: Artifact, tolerance: float) -> None:
    """Equal files, and weights that differ by the order of sums."""
    assert made.id == other.id
    assert names(made) == names(other)
    assert {k: v for k, v in made.stats.items() if isinstance(v, int)} == {
        k: v for k, v in other.stats.items() if isinstance(v, int)
    }
    expected = weights(other)
    assert weights(made).keys() == expected.keys()
    for name, weight in weights(made).items():
        torch.testing.assert_close(weight, expected[name], atol=tolerance, rtol=0.0, msg=lambda text: f"{name}: {text}")  # noqa: B023
