"""What training on pairs has in common, whichever way it is done."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sluicegate.artifacts import Artifact, write_json
from sluicegate.runtime import rank
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.stages.sft import Sft, token_cache
from sluicegate.training.tuning_check import check_tuning
from sluicegate.training.watching.held_out_metrics import PAIRS

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.training.course import Tuned
    from sluicegate.training.preference.reference import Reference
    from sluicegate.training.preference.rows import EncodedPairs
    from sluicegate.training.watching.watch import Watch


class Preference(Stage):
    """Trains a model, or trains an adapter on, to prefer the chosen sides of the pairs in `data`.

    Pairs of `held_out` tell on the way whether it prefers those of others, and some of them are answered.
    """

    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "data": "pairs"}
    joins = frozenset({"data"})
    may_take: ClassVar[dict[str, Kind]] = {"held_out": "pairs"}
    resumes = True
    collective = True
    timed = Sft.timed

    def check(self, config: Any, wires: Collection[str]) -> None:
        """Some settings need held-out pairs."""
        check_tuning(config, wires, PAIRS)

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

    def processes(self, config: Any) -> int:
        """As many as its `launch` says."""
        from sluicegate.training.devices.launch import processes

        return processes(config.launch)

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model, or its adapter, with its tokenizer and `training.json`."""
        from sluicegate.training.devices.whole import save_whole
        from sluicegate.training.opening import settle
        from sluicegate.training.preference.prefer import open_model, prefer
        from sluicegate.training.preference.rows import EncodedPairs
        from sluicegate.training.record import FILE, record
        from sluicegate.training.saving.make_way import make_way

        make_way(out, config)
        base, data = inputs["model"], inputs["data"]
        settled = settle(config, base.path)
        loaded = open_model(base.path, settled)
        pairs = EncodedPairs.of(data, loaded.encoder(settled.max_length), token_cache(settled, out))
        reference = self.reference(settled, base, loaded, pairs, out.parent)
        watch = self._watch(out, settled, inputs, loaded)
        made = prefer(loaded, pairs, _columns(data), settled, out, reference, watch)
        save_whole(made.model, loaded.tokenizer, out, base)
        for folder in made.left.put_down(out):
            save_whole(made.model, loaded.tokenizer, folder, base, inside=out)
        stats = _stats(pairs, made)
        if rank() == 0:
            write_json(out / FILE, record(self.name, settled, loaded, inputs, stats, made))
        return stats

    def _watch(self, out: Path, config: Any, inputs: Mapping[str, Artifact], loaded: Loaded) -> Watch:
        from sluicegate.training.watching.held_out_pairs import HeldOutPairs
        from sluicegate.training.watching.watch import Watch

        if "held_out" not in inputs:
            return Watch(out)
        trained = [row["id"] for row in inputs["data"].rows("pairs", ["id"])]
        encoder, cache = loaded.encoder(config.max_length), token_cache(config, out)
        held_out = HeldOutPairs.of(inputs["held_out"], encoder, cache, config.watch, trained)
        held_out.reference = self.reference(config, inputs["model"], loaded, held_out.pairs, out.parent)
        return Watch(out, held_out)


def _stats(pairs: EncodedPairs, made: Tuned) -> dict[str, Any]:
    last = made.curve[-1]
    return {
        "rows": len(pairs),
        "label_tokens": int(pairs.counts().n_label.sum()),
        "truncated": pairs.n_truncated,
        "steps": made.steps,
        "loss": made.loss,
        "reward_margin": last["rewards/margins"],
        "reward_accuracy": last["rewards/accuracies"],
        **made.held_out,
        **made.turns,
        "mix": made.mix,
    }


def _columns(data: Artifact) -> dict[str, np.ndarray]:
    rows = list(data.rows("pairs", ["lang", "source"]))
    return {name: np.array([row[name] for row in rows]) for name in ("lang", "source")}
