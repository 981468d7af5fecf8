"""The reference copy a gate may read instead of its base, as the gate's artifact keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.models import adapters

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FOLDER = "reference"


def load_reference(base: PreTrainedModel, folder: Path, facts: dict[str, Any]) -> PreTrainedModel:
    """The kept copy of a gate artifact, as a plain model; a LoRA is merged into `base`, which it changes."""
    if facts["method"] == "full":
        from transformers import AutoModelForCausalLM

        first = next(base.parameters())
        tuned: Any = AutoModelForCausalLM.from_pretrained(folder / FOLDER, dtype=first.dtype)
        return tuned.to(first.device).eval()
    adapted: Any = adapters.put_on(base, folder / FOLDER)
    return adapted.merge_and_unload().eval()
