"""Which weights differ between two folders, tensor by tensor; neither model is ever in memory as a whole."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from sluicegate.errors import MissingError
from sluicegate.models.gates.files import WEIGHTS as GATES
from sluicegate.models.weight_names import group_of, layer_of

CHUNK = 1 << 22
"""Numbers of a tensor that are compared at once, in float64."""
INDEX = "model.safetensors.index.json"
NO_WEIGHTS = ("optimizer.", "losses.")
"""What a checkpoint of pretraining holds beside weights."""

Verdict = Literal["equal", "changed", "other dtype", "other shape", "only in A", "only in B"]


@dataclass(frozen=True)
class Comparison:
    """One weight of A beside the weight of that name in B."""

    name: str
    verdict: Verdict
    """`other dtype` tells of the bytes alone: whether the numbers are others, `change` says."""
    change: float = 0.0
    """Squared Frobenius norm of B - A."""
    size: float = 0.0
    """Squared Frobenius norm of A."""
    largest: float = 0.0
    """The largest absolute change of a number."""

    @property
    def group(self) -> str:
        """The part of the model it belongs to."""
        return group_of(self.name)

    @property
    def layer(self) -> int | None:
        """Its decoder layer, if it is of one."""
        return layer_of(self.name)


def relative_change(found: Collection[Comparison]) -> float:
    """‖B - A‖ / ‖A‖ in the Frobenius norm over weights that both have; infinite where A was nothing but zeros."""
    change, size = sum(c.change for c in found), sum(c.size for c in found)
    if not change:
        return 0.0
    return math.sqrt(change / size) if size else math.inf


def compare_weights(a: Path, b: Path, groups: Collection[str] | None = None) -> Iterator[Comparison]:
    """Every weight of two folders, or those of some groups, in the order of their layers and names.

    A folder is what `save_pretrained` wrote (sharded or not), a gate, an adapter, or a checkpoint of one of these.

    Raises:
        MissingError: a folder without safetensors.
    """
    first, second = weight_files(a), weight_files(b)
    names = {name for name in first.keys() | second.keys() if groups is None or group_of(name) in groups}
    for name in sorted(names, key=lambda n: (-1 if (i := layer_of(n)) is None else i, n)):
        yield _compare(name, first.get(name), second.get(name))


def weight_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name of every weight in a folder, as the model has it, to its file and its key in there."""
    from safetensors import safe_open

    found: dict[str, tuple[Path, str]] = {}
    for path in _files(folder):
        with safe_open(path, framework="pt") as file:
            keys = [key for key in file.keys() if not key.startswith(NO_WEIGHTS)]  # noqa: SIM118 (no mapping)
        found |= {_name(key, path): (path, key) for key in keys}
    return found


def _files(folder: Path) -> list[Path]:
    """The safetensors of a folder; where shards have an index, those it names, for some repositories hold two sets."""
    found = sorted(folder.glob("*.safetensors"))
    if (folder / INDEX).is_file():
        shards = set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        found = [folder / name for name in sorted(shards)] + [p for p in found if p.name == GATES]
    if missing := [p.name for p in found if not p.is_file()]:
        raise MissingError(f"{folder} lacks {missing[0]}, which its index names", "fetch the whole model")
    if not found:
        raise MissingError(f"{folder} holds no safetensors", "name a folder that save_pretrained wrote")
    return found


def _name(key: str, path: Path) -> str:
    """The key, without what peft and our checkpoints put before it; a gate's key is short and starts at its layer."""
    if path.name == GATES:
        number, _, parameter = key.partition(".")
        return f"layers.{number}.mlp.quality_gate.{parameter}"
    if path.name == "checkpoint.safetensors":
        return key.removeprefix("model.")
    return key.removeprefix("base_model.model.")


def _compare(name: str, first: tuple[Path, str] | None, second: tuple[Path, str] | None) -> Comparison:
    if first is None or second is None:
        return Comparison(name, "only in B" if first is None else "only in A")
    a, b = _read(*first), _read(*second)
    if a.shape != b.shape:
        return Comparison(name, "other shape")
    same = a.dtype == b.dtype and torch.equal(_bytes(a), _bytes(b))
    verdict: Verdict = "equal" if same else "changed" if a.dtype == b.dtype else "other dtype"
    return Comparison(name, verdict, *_distance(a.flatten(), b.flatten(), same))


def _read(path: Path, key: str) -> Tensor:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        tensor: Any = file.get_tensor(key)
    return tensor


def _bytes(tensor: Tensor) -> Tensor:
    """As they lie: a NaN is then equal to itself, and -0 is not 0."""
    return tensor.flatten().view(torch.uint8)


def _distance(a: Tensor, b: Tensor, same: bool) -> tuple[float, float, float]:
    """‖b - a‖², ‖a‖² and the largest |b - a| of flat tensors, a chunk at a time."""
    change = size = largest = 0.0
    for x, y in zip(a.split(CHUNK), b.split(CHUNK), strict=True):
        x = x.double()
        size += float(x.square().sum())
        if not same:
            step = y.double() - x
            change += float(step.square().sum())
            largest = max(largest, float(step.abs().max()))
    return change, size, largest
