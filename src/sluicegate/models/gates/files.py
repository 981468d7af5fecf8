"""Gates on disk: a file of their own beside the model they were made for, which stays a plain model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sluicegate.artifacts import file_hash
from sluicegate.errors import ArtifactError
from sluicegate.models.gates.base import Gate
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.router import RouterGate, TrashRouterGate
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.gates.trash import TrashGate

WEIGHTS = "gate.safetensors"
SETTINGS = "gate.json"
KINDS: dict[str, type[Gate]] = {
    gate.kind: gate for gate in (SurpriseGate, LinearGate, TrashGate, RouterGate, TrashRouterGate)
}


def save_gates(gates: Mapping[int, Gate], folder: Path) -> None:
    """Write `gate.safetensors`; keys are `<layer>.<parameter>`, its metadata names the kind."""
    from safetensors.torch import save_file

    tensors = {
        f"{i}.{n}": p.detach().cpu().contiguous() for i, gate in gates.items() for n, p in gate.state_dict().items()
    }
    (kind,) = {gate.kind for gate in gates.values()}
    save_file(tensors, folder / WEIGHTS, metadata={"kind": kind})


def load_gates(folder: Path) -> dict[int, Gate]:
    """The gates of a gate artifact, by layer number."""
    from safetensors import safe_open

    with safe_open(folder / WEIGHTS, framework="pt") as file:
        kind = KINDS[file.metadata()["kind"]]
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    gates: dict[int, Gate] = {}
    for number in sorted({int(key.partition(".")[0]) for key in tensors}):
        state = {k.partition(".")[2]: v for k, v in tensors.items() if k.startswith(f"{number}.")}
        gates[number] = kind.of_state(state)
        gates[number].load_state_dict(state, assign=True)  # in the dtype it was saved in
    return gates


def read_settings(folder: Path) -> dict[str, Any]:
    """What `gate.json` says."""
    return json.loads((folder / SETTINGS).read_text(encoding="utf-8"))


def check_base(gate: str, settings: Mapping[str, Any], base: Path) -> None:
    """Raise `ArtifactError` unless the gate of that name was made for the model in the folder `base`."""
    if settings["base_weights"] != weights_hash(base):
        hint = f"give model={settings['base']}, or warm a gate up on this model"
        raise ArtifactError(f"gate {gate} was made for another model than {base}", hint)


def weights_hash(folder: Path) -> str:
    """12 hex digits over a model folder's weight files: what a gate was made for."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(file_hash(path).encode())
    return digest.hexdigest()[:12]
