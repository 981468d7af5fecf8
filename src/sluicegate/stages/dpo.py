"""model + pairs → model, by direct preference optimisation (arXiv 2305.18290) or one of its relatives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.artifacts import Artifact
from sluicegate.stages.preference import Preference
from sluicegate.training.preference_config import DpoConfig

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.training.preference_reference import Reference
    from sluicegate.training.preference_rows import EncodedPairs

REFERENCE = ".reference"
"""Beside the artifacts of a run: log π_ref of every pair, for all trainings that start alike; it may be deleted."""


class Dpo(Preference):
    """Trains on pairs, held near the model given, which is the reference; an adapter given is trained on."""

    name = "dpo"

    class Config(DpoConfig):
        pass

    def reference(
        self, config: Any, base: Artifact, loaded: Loaded, pairs: EncodedPairs, beside: Path
    ) -> Reference | None:
        """A file that is named by the model, its dtype and device, and the pairs as tokens."""
        from sluicegate.training.preference_reference import Reference

        if config.reference_free:
            return None
        numbers = f"{loaded.device.type}-{str(loaded.dtype).removeprefix('torch.')}"
        return Reference(beside / REFERENCE / f"{base.id}-{pairs.sides.path.stem}-{numbers}.npy", len(pairs))
