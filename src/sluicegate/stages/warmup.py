"""model + trusted rows → gate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from sluicegate.artifacts import Artifact, write_json
from sluicegate.errors import CheckFailed
from sluicegate.schema import Kind, Record
from sluicegate.stages.base import Sizes, Stage
from sluicegate.training.warmup_config import WarmupConfig


class Warmup(Stage):
    """Trains only the gates of a frozen model, to tell `trusted` rows from damage done to them."""

    name = "warmup"
    makes: ClassVar[Kind] = "gate"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "trusted": "messages"}

    class Config(WarmupConfig):
        pass

    def estimate(self, config: WarmupConfig, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """The trusted rows; each is also read in `copies` damaged versions."""
        return dict(inputs["trusted"])

    def fill(self, out: Path, config: WarmupConfig, inputs: dict[str, Artifact]) -> dict[str, Any]:
        from sluicegate.models.gates.files import SETTINGS, save_gates, weights_hash
        from sluicegate.models.load import load_plain
        from sluicegate.training.warmup import check_enough, warm_up

        base = inputs["model"]
        trusted = cast(list[Record], list(inputs["trusted"].rows("messages")))
        check_enough(trusted)
        warmed = warm_up(load_plain(base.path), trusted, config, out)
        auroc = warmed.facts["auroc"]
        if config.min_auroc is not None and auroc < config.min_auroc:
            kind, least = min(warmed.facts["auroc_by_kind"].items(), key=lambda item: item[1])
            raise CheckFailed(
                f"held-out AUROC {auroc:.3f} is under min_auroc {config.min_auroc} (weakest: {kind} {least:.3f})",
                "give more trusted rows, or a base that knows the domain better",
            )
        save_gates(warmed.gates, out)
        settings = {"kind": config.kind, "rank": config.rank, "context_gain": config.context_gain}
        write_json(out / SETTINGS, settings | {"base": base.id, "base_weights": weights_hash(base.path)} | warmed.facts)
        parameters = sum(p.numel() for g in warmed.gates.values() for p in g.parameters())
        return {"auroc": auroc, "trusted_rows": warmed.facts["trusted_rows"], "parameters": parameters}
