"""`sluice run` under torchrun: two processes pretrain together, step after step, and leave what one alone leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

RECIPE = """
steps:
  few: {stage: prepare, sources: [{world: {make: clean, rows: 200}}]}
  base:
    {stage: pretrain, data: few, steps: 10, batch_rows: 4, device_rows: 1, row_tokens: 32, vocab_size: 300, threads: 1,
     held_out: 0.1, evaluate_every: 5, mask_documents: true, model: {layers: 2, width: 16, heads: 2, kv_heads: 1}}
  on:
    stage: pretrain
    data: few
    init: base
    steps: 6
    batch_rows: 4
    row_tokens: 32
    threads: 1
"""


def run(out: Path, processes: int) -> None:
    torchrun = ["torch.distributed.run", "--standalone", f"--nproc_per_node={processes}", "-m"]
    command = [sys.executable, "-m", *torchrun, "sluicegate", "run", str(out.parent / "r.yaml"), f"out={out}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_processes_pretrain_as_one(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE, encoding="utf-8")
    run(tmp_path / "one", 1)
    run(tmp_path / "two", 2)
    for step in ("base", "on"):
        one, two = (load_file(tmp_path / name / step / "model.safetensors") for name in ("one", "two"))
        assert all((one[name] - two[name]).abs().max() < 1e-4 for name in one)
        told = [json.loads((tmp_path / name / step / "training.json").read_text()) for name in ("one", "two")]
        assert told[0]["loss"] == pytest.approx(told[1]["loss"], abs=2e-4)
    lines = (tmp_path / "two/log/rank1.log").read_text(encoding="utf-8")
    assert "step 10: loss" in lines
    assert len(list((tmp_path / "two/log/tensorboard").glob("*/events*"))) == 2
