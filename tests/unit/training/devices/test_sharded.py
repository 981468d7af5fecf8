"""A sharded model learns what a whole one learns, and ends in the same folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import shard_ranks
from sluicegate.artifacts import external
from sluicegate.models.load import load
from sluicegate.testing import tiny_model
from sluicegate.training.devices.whole import save_whole

pytestmark = pytest.mark.slow

TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=["llama", "gemma2"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, and what one process and two made of it; the head of the second is its embedding."""
    root = tmp_path_factory.mktemp("sharded")
    base = tiny_model(root / "base", family=request.param)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    world = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, shard_ranks.__file__, str(base), str(root / "two")], check=True, timeout=240, env=world)
    for adapted, name in ((False, "whole"), (True, "adapted")):
        model = shard_ranks.stepped(base, adapted, split=False)
        save_whole(model, load(base).tokenizer, root / "one" / name, external(base, "model-base"))
    return root


@pytest.mark.parametrize("name", ["whole", "adapted"])
def test_it_ends_in_the_folder_of_an_unsharded_one(saved: Path, name: str) -> None:
    one, two = (saved / count / name for count in ("one", "two"))
    assert sorted(p.name for p in two.iterdir()) == sorted(p.name for p in one.iterdir())
    for file in one.glob("*.json"):
        assert json.loads((two / file.name).read_text()) == json.loads(file.read_text()), file.name
    (weights,) = one.glob("*.safetensors")
    expected, found = load_file(weights), load_file(two / weights.name)
    assert found.keys() == expected.keys()
    for key, weight in expected.items():
        torch.testing.assert_close(found[key], weight, atol=TOLERANCE, rtol=0.0)


@pytest.mark.parametrize("name", ["whole", "adapted"])
def test_transformers_opens_it_and_computes_the_same(saved: Path, name: str) -> None:
    ids = torch.arange(10)[None]
    one, two = (logits(saved / count / name, ids) for count in ("one", "two"))
    torch.testing.assert_close(two, one, atol=1e-4, rtol=0.0)
    assert (one - logits(saved / "base", ids)).abs().max() > 0.1, "it has learnt"


def logits(folder: Path, ids: torch.Tensor) -> torch.Tensor:
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(input_ids=ids).logits
