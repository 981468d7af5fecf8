"""model + pairs → model, by direct preference optimisation, held near the model given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.artifacts import Artifact
from sluicegate.stages.preference import Preference
from sluicegate.training.preference.config import DpoConfig

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.training.preference.reference import Reference
    from sluicegate.training.preference.rows import EncodedPairs

REFERENCE = ".reference"
"""Beside the artifacts of a run: log π_ref of every pair, for all trainings that start alike; it may be deleted."""


class Dpo(Preference):
    """Trains on pairs by DPO (arXiv 2305.18290) or a relative; an adapter given is trained on, in the shape it has.

    With z = β · (log π/π_ref of the chosen side - log π/π_ref of the rejected side), sums over their label tokens, the
    loss of a pair is -log σ(z). The reference π_ref is the model given, as it was given.
    """

    name = "dpo"

    class Config(DpoConfig):
        pass

    def reference(
        self, config: Any, base: Artifact, loaded: Loaded, pairs: EncodedPairs, beside: Path
    ) -> Reference | None:
        """A file that is named by the model, its dtype and device, and the pairs as tokens."""
        from sluicegate.training.devices.strategy import training_device
        from sluicegate.training.preference.reference import Reference

        if config.reference_free:
            return None
        small = {"qlora": "-nf4"}.get(config.method, "") + ("-fp8" if config.dtype == "fp8" else "")
        device = training_device(config.launch, loaded.device)
        numbers = f"{device.type}-{str(loaded.dtype).removeprefix('torch.')}{small}"
        return Reference(beside / REFERENCE / f"{base.id}-{pairs.sides.path.stem}-{numbers}.npy", len(pairs))
