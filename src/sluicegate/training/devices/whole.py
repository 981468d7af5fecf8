"""The model that a tuning ends with, in one ordinary folder, however many processes hold it between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from sluicegate import runtime
from sluicegate.artifacts import Artifact
from sluicegate.models import adapters
from sluicegate.training.devices.sharded import is_sharded, whole_state
from sluicegate.training.devices.zero import gathered_state, is_partitioned


def save_whole(model: Any, tokenizer: Any, out: Path, base: Artifact, inside: Path | None = None) -> None:
    """Write a whole model, or an adapter that names what it stands on, and the tokenizer; every process calls it.

    Args:
        model: trained, or a `PeftModel` around its base; split between processes or not.
        base: the model that training started from, which may be an adapter itself.
        inside: the artifact that `out` is a folder of, where it is not the artifact itself.
    """
    state = _gathered(model)
    if runtime.rank() != 0:
        return
    if hasattr(model, "peft_config"):
        _save_adapter(model, out, base, state, inside)
    else:
        model.save_pretrained(out, state_dict=state)
    tokenizer.save_pretrained(out)


def _gathered(model: Any) -> dict[str, Tensor] | None:
    """The weights of a model that processes share, for the first of them; None where each has them all."""
    if is_sharded(model):
        return whole_state(model)
    return gathered_state(model) if is_partitioned(model) else None


def _save_adapter(model: Any, out: Path, base: Artifact, state: dict[str, Tensor] | None, inside: Path | None) -> None:
    below = adapters.base_of(base.path) if (base.path / adapters.SETTINGS).is_file() else base.path
    if isinstance(below, Path):
        adapters.save_adapter(model, out, below, state, inside)
    else:
        adapters.write_adapter(model, out, below, state)
