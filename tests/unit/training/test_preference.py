"""Training on pairs by several processes is training by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import prefer_ranks
from sluicegate.testing import tiny_model


@pytest.mark.slow
def test_two_ranks_train_as_one(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    expected = prefer_ranks.preferred(base, tmp_path / "alone")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    (tmp_path / "two").mkdir()
    subprocess.run([*command, prefer_ranks.__file__, str(base), str(tmp_path / "two")], check=True, timeout=300)
    found = torch.load(tmp_path / "two" / "made.pt")
    for (name, weights, curve), (_, alone, told) in zip(found, expected, strict=True):
        for key, parameter in alone.items():
            torch.testing.assert_close(weights[key], parameter, atol=1e-4, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")
        for point, other in zip(curve, told, strict=True):
            assert point == pytest.approx(other, rel=1e-3, abs=1e-5), name
