"""model + messages (+ selection, + trusted rows) → model, by supervised fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
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
from sluicegate.training.tuning_check import check_tuning
from sluicegate.training.watching.held_out_metrics import ROWS

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import Loaded
    from sluicegate.models.token_cache import EncodedRows, TokenCache
    from sluicegate.training.course import Tuned
    from sluicegate.training.rows import TrainingRows
    from sluicegate.training.tuning_config import TuningConfig
    from sluicegate.training.watching.watch import Watch

TOKENS = ".tokens"
"""Beside the artifacts of a run: rows as tokens, for all trainings that read the same; it may be deleted."""
FIRST_HERE = 8
"""Chunks of rows that are encoded sooner than other processes start."""


class Sft(Stage):
    """Trains on the rows of `data` that `selection` kept (all, without one), and on the `trusted` rows.

    The phases of a `sampler` may weigh rows by columns of `scores`, and by keys of `meta`. Rows of `held_out` tell on
    the way how the loss of others falls, and some of them are answered.
    """

    name = "sft"
    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "data": "messages"}
    joins = frozenset({"data"})
    may_take: ClassVar[dict[str, Kind]] = {
        "selection": "selection",
        "trusted": "messages",
        "scores": "scores",
        "held_out": "messages",
    }
    resumes = True
    collective = True
    timed = frozenset({"training.json", "metrics.jsonl", "tensorboard"})

    class Config(SftConfig):
        pass

    def check(self, config: Any, wires: Collection[str]) -> None:
        """A mixture is one of a selection and the rest, and some settings need held-out rows."""
        check_tuning(config, wires, ROWS)
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

    def processes(self, config: Any) -> int:
        """As many as its `launch` says."""
        from sluicegate.training.devices.launch import processes

        return processes(config.launch)

    def fill(self, out: Path, config: Config, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model, or its adapter, with its tokenizer and `training.json`."""
        from sluicegate.training.devices.whole import save_whole
        from sluicegate.training.saving.make_way import make_way

        make_way(out, config)
        made = fine_tune(config, inputs, out, watched=True)
        base, tokenizer = inputs["model"], made.base.tokenizer
        save_whole(made.tuned.model, tokenizer, out, base)
        for folder in made.tuned.left.put_down(out):
            save_whole(made.tuned.model, tokenizer, folder, base, inside=out)
        if rank() == 0:
            made.record(self.name, out, inputs)
        return made.stats


@dataclass(frozen=True)
class FineTuned:
    """A model in memory, trained on the rows of an sft stage's inputs."""

    base: Loaded
    tuned: Tuned
    config: SftConfig
    """With its `auto` method decided."""
    stats: dict[str, Any]

    def record(self, stage: str, out: Path, inputs: Mapping[str, Artifact]) -> None:
        """Write `training.json`."""
        from sluicegate.training.record import FILE, record

        write_json(out / FILE, record(stage, self.config, self.base, inputs, self.stats, self.tuned))


def fine_tune(config: SftConfig, inputs: Mapping[str, Artifact], out: Path, watched: bool = False) -> FineTuned:
    """Train on the rows that the inputs `data`, `selection` and `trusted` say.

    Rows as tokens are left beside the folder `out`, in `TOKENS`.

    Args:
        watched: write the course down in `out`, and measure what is held out; else nothing is left there.
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
    encoder, cache = loaded.encoder(settled.max_length), token_cache(settled, out)
    rows = _encoded(encoder, chosen, cache)
    watch = _watch(out, inputs.get("held_out"), encoder, cache, settled, chosen.ids) if watched else None
    columns = chosen.columns(settled.sampler.columns(), inputs.get("scores")) if settled.sampler else None
    tuned = tune(loaded, rows, settled, out, columns, watch)
    stats = {
        "rows": len(rows),
        "pool_rows": len(chosen.pool_ids),
        "trusted_rows": len(chosen.trusted_ids),
        "label_tokens": int(rows.counts.n_label.sum()),
        "truncated": int((rows.counts.truncated > 0).sum()),
        "steps": tuned.steps,
        "loss": tuned.loss,
        **tuned.held_out,
        **tuned.turns,
        **({"mix": tuned.mix} if tuned.mix else {}),
    }
    return FineTuned(loaded, tuned, settled, stats)


def token_cache(config: TuningConfig, out: Path) -> TokenCache:
    """Beside the folder of an artifact, for all that read the same rows."""
    from sluicegate.models.token_cache import TokenCache

    spread = partial(ordered, workers=config.workers or cores(), first_here=0 if config.workers else FIRST_HERE)
    return TokenCache(out.parent / TOKENS, spread)


def _encoded(encoder: Encoder, chosen: TrainingRows, cache: TokenCache) -> EncodedRows:
    what = "training rows"
    rows = cache.rows(encoder, chosen.ids, chosen.records, what)
    encoder.tell(rows.counts, what)
    return rows


def _watch(
    out: Path, data: Artifact | None, encoder: Encoder, cache: TokenCache, config: SftConfig, trained: Sequence[str]
) -> Watch:
    from sluicegate.training.watching.held_out_rows import HeldOutRows
    from sluicegate.training.watching.watch import Watch

    return Watch(out, HeldOutRows.of(data, encoder, cache, config.watch, trained) if data else None)


def _check_base(model: Any, base: Artifact) -> None:
    if hasattr(model, "peft_config"):
        raise ArtifactError(f"{base.path} is an adapter, not a whole model", "merge it into its base first")
