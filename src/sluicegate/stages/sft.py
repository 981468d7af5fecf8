"""model + messages (+ selection, + trusted rows) → model, by supervised fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sluicegate.artifacts import Artifact, write_json
from sluicegate.data.parallel import cores, ordered
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.runtime import rank
from sluicegate.schema import Kind
from sluicegate.stages.base import Sizes, Stage
from sluicegate.training.sft_config import SftConfig

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.models.token_cache import EncodedRows
    from sluicegate.training.rows import TrainingRows
    from sluicegate.training.sft import Tuned

TOKENS = ".tokens"
"""Beside the artifacts of a run: rows as tokens, for all trainings that read the same; it may be deleted."""
FIRST_HERE = 8
"""Chunks of rows that are encoded sooner than other processes start."""


class Sft(Stage):
    """Trains on the rows of `data` that `selection` kept (all, without one), and on the `trusted` rows.

    The phases of a `sampler` may weigh rows by columns of `scores`, and by keys of `meta`.
    """

    name = "sft"
    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"selection": "selection", "trusted": "messages", "scores": "scores"}
    collective = True

    class Config(SftConfig):
        pass

    def check(self, config: Any, wires: Collection[str]) -> None:
        """A mixture is one of a selection and the rest."""
        if config.mixture is not None and "selection" not in wires:
            raise ConfigError("mixture needs a selection to mix the rest of the data with", "add selection=…")

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows and tokens of what is trained on, each counted once, and steps where no sampler decides on those."""
        pool, trusted = inputs.get("selection") or inputs["data"], inputs.get("trusted", {})
        more = 1 / (config.mixture or 1)
        rows, tokens = (round(pool.get(key, 0) * more) + trusted.get(key, 0) for key in ("rows", "tokens"))
        told = {"rows": rows, "tokens": tokens}
        if config.sampler and not config.max_steps:
            return told
        return {**told, "steps": config.max_steps or math.ceil(config.epochs * rows / config.total_batch)}

    def fill(self, out: Path, config: Config, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model, or its adapter, with its tokenizer and `training.json`."""
        from sluicegate.training.whole import save_whole

        made = fine_tune(config, inputs, out)
        save_whole(made.tuned.model, made.base.tokenizer, out, inputs["model"])
        told = {"stage": self.name, "method": made.config.method, **made.stats, "curve": made.tuned.curve}
        if rank() == 0:
            write_json(out / "training.json", told)
        return made.stats


@dataclass(frozen=True)
class FineTuned:
    """A model in memory, trained on the rows of an sft stage's inputs."""

    base: Loaded
    tuned: Tuned
    config: SftConfig
    """With its `auto` method decided."""
    stats: dict[str, Any]


def fine_tune(config: SftConfig, inputs: Mapping[str, Artifact], out: Path) -> FineTuned:
    """Train on the rows that the inputs `data`, `selection` and `trusted` say.

    Nothing is left in the folder `out`, and the rows as tokens beside it, in `TOKENS`.
    """
    from sluicegate.training.opening import open_model, settle
    from sluicegate.training.rows import TrainingRows
    from sluicegate.training.sft import tune

    base = inputs["model"]
    settled = settle(config, base.path)
    chosen = TrainingRows.of(
        inputs["data"], inputs.get("selection"), inputs.get("trusted"), settled.mixture, settled.seed
    )
    loaded = open_model(base.path, settled)
    _check_base(loaded.model, base)
    rows = _encoded(loaded, chosen, settled, out.parent / TOKENS)
    columns = chosen.columns(settled.sampler.columns(), inputs.get("scores")) if settled.sampler else None
    tuned = tune(loaded, rows, settled, out, columns)
    stats = {
        "rows": len(rows),
        "pool_rows": len(chosen.pool_ids),
        "trusted_rows": len(chosen.trusted_ids),
        "label_tokens": int(rows.counts.n_label.sum()),
        "truncated": int((rows.counts.truncated > 0).sum()),
        "steps": tuned.steps,
        "loss": tuned.loss,
        **({"mix": tuned.mix} if tuned.mix else {}),
    }
    return FineTuned(loaded, tuned, settled, stats)


def _encoded(loaded: Loaded, chosen: TrainingRows, config: SftConfig, folder: Path) -> EncodedRows:
    from sluicegate.models.token_cache import TokenCache

    what, encoder = "training rows", loaded.encoder(config.max_length)
    spread = partial(ordered, workers=config.workers or cores(), first_here=0 if config.workers else FIRST_HERE)
    rows = TokenCache(folder, spread).rows(encoder, chosen.ids, chosen.records, what)
    encoder.tell(rows.counts, what)
    return rows


def _check_base(model: Any, base: Artifact) -> None:
    if hasattr(model, "peft_config"):
        raise ArtifactError(f"{base.path} is an adapter, not a whole model", "merge it into its base first")
