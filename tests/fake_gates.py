"""Gates nobody warmed up, of every shape that a gate's artifact can have: random weights on both layers of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sluicegate.artifacts import Artifact, external, write_json
from sluicegate.models.gates.base import Gate
from sluicegate.models.gates.files import SETTINGS, save_gates, weights_hash
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.testing import sealed, tiny_model

WIDTH, LAYERS = 16, 2  # of `tiny_model`


def model_in(folder: Path) -> Artifact:
    """A model folder that no stage made."""
    return external(folder.resolve(), f"model-external-{folder.name}")


def fake_gate(
    root: Path, base: Artifact, *, copy: bool = False, members: Sequence[str] = (), kind: type[Gate] = SurpriseGate
) -> Artifact:
    """A gate of `base` in the store `root`, reading a copy of other weights if asked; cross-fitted if it has members.

    Args:
        kind: whose gates take width, rank and the number of surprises.
    """

    def fill(out: Path) -> None:
        if members:
            write_json(out / SETTINGS, {"members": list(members)})
        for n, member in enumerate(members or [""]):
            (out / member).mkdir(exist_ok=True)
            _write(out / member, base, copy, kind, seed=n + 1)

    return sealed(root, "gate", fill, {"model": base}, {"config": {"copy": copy, "members": list(members)}})


def _write(out: Path, base: Artifact, copy: bool, kind: Any, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        save_gates({n: kind(WIDTH, 4, 4) for n in range(LAYERS)}, out)
    if copy:
        _loud(tiny_model(out / "reference", seed=seed))
    facts: dict[str, Any] = {"kind": kind.kind, "context_gain": False, "acts": kind.acts}
    facts |= {"reference": {"method": "full"} if copy else None}
    write_json(out / SETTINGS, facts | {"base": str(base.path), "base_weights": weights_hash(base.path)})


def _loud(folder: Path) -> None:
    """Weights so large that every row gets a loss of its own; as they are made, all predictions are nearly uniform."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    loud = {name: 20 * w if w.dim() > 1 else w for name, w in weights.items()}
    save_file(loud, folder / "model.safetensors", {"format": "pt"})
