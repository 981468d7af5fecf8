"""What a card is about: the files of a bundle, and all that is known of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sluicegate.artifacts import Artifact
from sluicegate.reporting.model_card.history import History
from sluicegate.reporting.model_card.result import Result
from sluicegate.reporting.model_card.usage import Usage


@dataclass(frozen=True)
class Bundle:
    """An exported model."""

    name: str
    form: str
    """`merged` or `adapter`."""
    base_name: str
    """Of the base, as others know it; empty for a model from scratch."""
    licence: str
    """Of the model; empty where nobody said."""
    history: History
    result: Result | None
    comparison: Artifact | None
    """The report of the comparison it comes from."""
    checks: Mapping[str, Any]
    """How near what was written is to what it was made of, and in which dtype."""
    usage: Usage

    @cached_property
    def langs(self) -> set[str]:
        """Those of the rows it learnt from."""
        return {lang for step in self.history.trainings for _, lang in step.rows}

    @cached_property
    def hub_sets(self) -> list[str]:
        """The sets of the hub among the sources of those rows."""
        used = {source for step in self.history.trainings for source, _ in step.rows}
        known = (self.history.sources.get(name, {}).get("hub") for name in used)
        return sorted({str(hub) for hub in known if hub})
