"""Training on pairs by every method; and by several processes, which is training by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import prefer_ranks
from sluicegate.testing import tiny_model
from sluicegate.training.preference.config import DpoConfig, OrpoConfig
from sluicegate.training.preference.prefer import open_model, prefer
from sluicegate.training.preference.reference import Reference
from tiny_pairs import encoded_pairs, tiny_pairs


@pytest.mark.parametrize("kind", [DpoConfig, OrpoConfig])
@pytest.mark.parametrize("method", ["dora", "qlora"])
def test_an_adapter_of_any_method_learns_to_prefer(kind: Any, method: Any, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    config = kind(method=method, max_steps=20, total_batch=8, learning_rate=2e-2)
    loaded, pairs = open_model(base, config), tiny_pairs(16)
    encoded = encoded_pairs(tmp_path / "pairs", loaded, pairs)
    columns = {name: np.array([pair[name] for pair in pairs]) for name in ("lang", "source")}
    reference = Reference(tmp_path / "reference.npy", len(pairs)) if kind is DpoConfig else None
    made = prefer(loaded, encoded, columns, config, tmp_path, reference)
    assert made.curve[-1]["rewards/margins"] > made.curve[0]["rewards/margins"]
    assert {name for name, p in made.model.named_parameters() if p.requires_grad} == {
        name for name, _ in made.model.named_parameters() if "lora_" in name
    }


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
