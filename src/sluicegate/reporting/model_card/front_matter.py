"""The YAML that opens a card on the hub: what the hub files a model under."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sluicegate.reporting.model_card.bundle import Bundle

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

WRITTEN = ("zh", "en")
TASK = "text-generation"


def front_matter(bundle: Bundle) -> str:
    """Keys of the hub's own, between two lines of dashes; what is not known is left out."""
    from huggingface_hub import ModelCardData

    known = "/" in bundle.base_name  # as models are called on the hub
    results = list(_results(bundle))
    told = ModelCardData(
        model_name=bundle.name if results else None,  # the results' own
        base_model=bundle.base_name if known else None,
        base_model_relation=("adapter" if bundle.form == "adapter" else "finetune") if known else None,
        library_name="peft" if bundle.form == "adapter" else "transformers",
        pipeline_tag=TASK,
        language=sorted(bundle.langs & set(WRITTEN)) or None,
        datasets=bundle.hub_sets or None,
        tags=["sluicegate", *dict.fromkeys(step.stage for step in bundle.history.trainings)],
        eval_results=results or None,
        **_licence(bundle.licence),
    )
    return f"---\n{told.to_yaml()}\n---"


def _licence(name: str) -> dict[str, Any]:
    """As the hub's list has it, if it looks like a name of that list."""
    if not name:
        return {}
    known = re.fullmatch(r"[a-z][a-z0-9.-]*", name)
    return {"license": name} if known else {"license": "other", "license_name": name}


def _results(bundle: Bundle) -> Iterator[EvalResult]:
    from huggingface_hub import EvalResult

    if bundle.result is None:
        return
    metrics = bundle.result.asked.metrics
    for source, found in metrics["by_source"].items():
        if found["accuracy"] is not None:
            kind = str(bundle.history.sources.get(source, {}).get("hub") or source)
            yield EvalResult(TASK, kind, source, "accuracy", found["accuracy"])
