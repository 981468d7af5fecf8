"""The reference copy a gate may read instead of its base, as the gate's artifact keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.models import adapters

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FOLDER = "reference"


def load_reference(base: PreTrainedModel, folder: Path, facts: dict[str, Any]) -> PreTrainedModel:
    """The kept copy of a gate artifact, as a plain model.

    `base` is used up: a LoRA is merged into it, and it lets go of its weights before a full copy, as large, is opened.
    """
    if facts["method"] == "full":
        from transformers import AutoModelForCausalLM

        first = next(base.parameters())
        device, dtype = first.device, first.dtype
        base.to("meta")  # type: ignore[arg-type]  # transformers' wrapper hides the signature of `to`
        tuned: Any = AutoModelForCausalLM.from_pretrained(folder / FOLDER, dtype=dtype)
        return tuned.to(device).eval()
    adapted: Any = adapters.put_on(base, folder / FOLDER)
    return adapted.merge_and_unload().eval()
