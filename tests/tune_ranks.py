"""Under torchrun, fine-tune with a sampler; every rank leaves the rows it saw, and the first the weights."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sluicegate import runtime
from sluicegate.models.encode import Encoder
from sluicegate.models.load import load
from sluicegate.testing import tiny_pool
from sluicegate.training import sft
from sluicegate.training.sft_config import SftConfig

POOL = tiny_pool(60)
CONFIG: dict[str, Any] = {"method": "full", "max_steps": 6, "total_batch": 8, "learning_rate": 1e-2}
CONFIG |= {"sampler": {"share": {"zh": 0.7}}}


def tuned(base: Path, out: Path) -> tuple[dict[str, torch.Tensor], list[list[str]], Any]:
    """The weights after training, the ids of the rows of every forward pass of this process, and the mix it tells."""
    loaded, seen = load(base, device="cpu"), []
    pad = sft.pad

    def watched(batch: Any, pad_id: int) -> Any:
        seen.append([row.id for row in batch])
        return pad(batch, pad_id)

    sft.pad = watched
    columns = {name: np.array([row[name] for row in POOL]) for name in ("lang", "source")}  # type: ignore[literal-required]
    made = sft.tune(loaded, Encoder(loaded.tokenizer).encode_batch(POOL), SftConfig(**CONFIG), out, columns)
    sft.pad = pad
    return {name: p.detach() for name, p in made.model.named_parameters()}, seen, made.mix


if __name__ == "__main__":
    base, out = map(Path, sys.argv[1:])
    weights, seen, _ = tuned(base, out)
    (out / f"rank{runtime.rank()}.json").write_text(json.dumps(seen), encoding="utf-8")
    if runtime.rank() == 0:
        torch.save(weights, out / "weights.pt")
