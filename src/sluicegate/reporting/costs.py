"""What a model cost: every training that stands behind it, as far as its ancestors are known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sluicegate.artifacts import Artifact
from sluicegate.errors import ArtifactError


class Cost(NamedTuple):
    """Of all trainings from the first model that a stage of ours made on; None where none is known."""

    seconds: float | None
    tokens: int | None
    """That were to be predicted, counted once however often they were read; of a pretraining all it read."""


def cost_of(model: Artifact | None) -> Cost:
    """The trainings of a model, added up."""
    made = list(_trainings(model))
    tokens = [one.stats.get("label_tokens", one.stats.get("tokens")) for one in made]
    known = [n for n in tokens if n is not None]
    return Cost(sum(one.seconds for one in made) if made else None, sum(known) if known else None)


def _trainings(model: Artifact | None) -> Iterator[Artifact]:
    """A model and those it was trained from; it ends where one comes from elsewhere, or is gone."""
    while model and "made" in model.manifest:
        yield model
        model = _base(model)


def _base(model: Artifact) -> Artifact | None:
    start = next((name for name in ("model", "init") if name in model.inputs), None)
    try:
        return model.parent(start) if start else None
    except ArtifactError:
        return None
