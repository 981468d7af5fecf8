"""What training on pairs has in common, whichever way it is done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sluicegate.artifacts import Artifact, write_json
from sluicegate.config import result_fields
from sluicegate.data.parallel import cores, ordered
from sluicegate.runtime import rank
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.stages.sft import FIRST_HERE, TOKENS

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.training.preference_config import PreferenceConfig
    from sluicegate.training.preference_reference import Reference
    from sluicegate.training.preference_rows import EncodedPairs


class Preference(Stage):
    """Trains a model, or trains an adapter on, to prefer the chosen sides of the pairs in `data`."""

    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "data": "pairs"}
    collective = True

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows and tokens of the pairs, and steps, where no languages decide of those."""
        told = {key: inputs["data"].get(key, 0) for key in ("rows", "tokens")}
        if config.max_steps is None and config.sampler.share:
            return told
        return {**told, "steps": config.max_steps or math.ceil(config.epochs * told["rows"] / config.total_batch)}

    def reference(
        self, config: Any, base: Artifact, loaded: Loaded, pairs: EncodedPairs, beside: Path
    ) -> Reference | None:
        """Where the log-probabilities of the model as it was given are kept, if they are needed."""
        return None

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model, or its adapter, with its tokenizer and `training.json`."""
        from sluicegate.training.opening import settle
        from sluicegate.training.preference import open_model, prefer
        from sluicegate.training.whole import save_whole

        base, data = inputs["model"], inputs["data"]
        settled = settle(config, base.path)
        loaded = open_model(base.path, settled)
        pairs = _encoded(loaded, data, settled, out.parent / TOKENS)
        reference = self.reference(settled, base, loaded, pairs, out.parent)
        made = prefer(loaded, pairs, _columns(data), settled, out, reference)
        save_whole(made.model, loaded.tokenizer, out, base)
        last = made.curve[-1]
        stats = {
            "rows": len(pairs),
            "label_tokens": int(pairs.counts().n_label.sum()),
            "truncated": pairs.n_truncated,
            "steps": made.steps,
            "loss": last["loss"],
            "reward_margin": last["rewards/margins"],
            "reward_accuracy": last["rewards/accuracies"],
            "mix": made.mix,
        }
        told = {"stage": self.name, "method": settled.method, "model": base.id, "settings": result_fields(settled)}
        if rank() == 0:
            write_json(out / "training.json", {**told, **stats, "curve": made.curve})
        return stats


def _encoded(loaded: Loaded, data: Artifact, config: PreferenceConfig, folder: Path) -> EncodedPairs:
    from sluicegate.models.token_cache import TokenCache
    from sluicegate.training.preference_rows import EncodedPairs

    spread = partial(ordered, workers=config.workers or cores(), first_here=0 if config.workers else FIRST_HERE)
    return EncodedPairs.of(data, loaded.encoder(config.max_length), TokenCache(folder, spread))


def _columns(data: Artifact) -> dict[str, np.ndarray]:
    rows = list(data.rows("pairs", ["lang", "source"]))
    return {name: np.array([row[name] for row in rows]) for name in ("lang", "source")}
