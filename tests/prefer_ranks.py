"""Under torchrun, train on pairs by DPO and by ORPO; the first rank leaves the weights and the curves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sluicegate import runtime
from sluicegate.training.preference.config import DpoConfig, OrpoConfig
from sluicegate.training.preference.prefer import open_model, prefer
from sluicegate.training.preference.reference import Reference
from tiny_pairs import encoded_pairs, tiny_pairs

CONFIGS: list[Any] = [
    config(method="full", max_steps=4, total_batch=8, learning_rate=1e-2) for config in (DpoConfig, OrpoConfig)
]


def preferred(base: Path, out: Path) -> list[Any]:
    """For each config its name, the weights after training and the curve."""
    made = []
    for config in CONFIGS:
        loaded, pairs = open_model(base, config), tiny_pairs(24)
        rows = encoded_pairs(out / str(runtime.rank()), loaded, pairs)
        columns = {name: np.array([pair[name] for pair in pairs]) for name in ("lang", "source")}  # type: ignore[literal-required]
        done = prefer(loaded, rows, columns, config, out / "made", Reference(out / "reference.npy", len(rows)))
        weights = {name: parameter.detach() for name, parameter in done.model.named_parameters()}
        made.append((type(config).__name__, weights, done.curve))
    return made


if __name__ == "__main__":
    base, out = map(Path, sys.argv[1:])
    made = preferred(base, out)
    if runtime.rank() == 0:
        torch.save(made, out / "made.pt")
