"""model + messages (+ selection, + trusted rows) → model, by supervised fine-tuning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from sluicegate.artifacts import Artifact, write_json
from sluicegate.errors import ArtifactError, DataError
from sluicegate.schema import Kind, Record, content_id
from sluicegate.stages.base import Sizes, Stage
from sluicegate.training.sft_config import SftConfig

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.training.sft import Tuned


class Sft(Stage):
    """Trains on the rows of `data` that `selection` kept (all, without one), and on the `trusted` rows."""

    name = "sft"
    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"model": "model", "data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"selection": "selection", "trusted": "messages"}

    class Config(SftConfig):
        pass

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows and tokens of what is trained on, each counted once, and steps."""
        parts = [inputs.get("selection") or inputs["data"], inputs.get("trusted", {})]
        rows, tokens = (sum(part.get(key, 0) for part in parts) for key in ("rows", "tokens"))
        steps = config.max_steps or math.ceil(config.epochs * rows / config.batch_size)
        return {"rows": rows, "tokens": tokens, "steps": steps}

    def fill(self, out: Path, config: Config, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the model, or its adapter, with its tokenizer and `training.json`."""
        made = fine_tune(config, inputs, out)
        _save(made.tuned.model, made.config, out, inputs["model"])
        made.base.tokenizer.save_pretrained(out)
        told = {"stage": self.name, "method": made.config.method, **made.stats, "curve": made.tuned.curve}
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
    """Train on the rows that the inputs `data`, `selection` and `trusted` say; nothing is left in the folder `out`."""
    from sluicegate.models.load import load
    from sluicegate.training.sft import settle, tune

    base = inputs["model"]
    settled = settle(config, base.path)
    pool, trusted = _rows(inputs)
    dtype, reason = _dtype(settled)
    loaded = load(base.path, dtype=dtype, reason=reason)
    _check_base(loaded.model, base)
    rows = loaded.encoder(settled.max_length).encode_all(pool + trusted, "training rows")
    tuned = tune(loaded, rows, settled, out)
    stats = {
        "rows": len(rows),
        "pool_rows": len(pool),
        "trusted_rows": len(trusted),
        "label_tokens": sum(row.n_label for row in rows),
        "truncated": sum(row.truncated > 0 for row in rows),
        "steps": tuned.steps,
        "loss": tuned.loss,
    }
    return FineTuned(loaded, tuned, settled, stats)


def _rows(inputs: Mapping[str, Artifact]) -> tuple[list[Record], list[Record]]:
    """The pool's rows that are trained on, and the trusted rows that are not among them already."""
    pool = cast(list[Record], list(inputs["data"].rows("messages")))
    if "selection" in inputs:
        pool = _kept(pool, inputs["selection"], inputs["data"])
    seen = {content_id(row["id"]) for row in pool}
    trusted = cast(list[Record], list(inputs["trusted"].rows("messages"))) if "trusted" in inputs else []
    new = [row for row in trusted if content_id(row["id"]) not in seen]
    if not pool and not new:
        raise DataError(f"{inputs['data'].id}: no rows to train on", "select more of them")
    return pool, new


def _kept(pool: list[Record], selection: Artifact, data: Artifact) -> list[Record]:
    """Joined by id; a selection made over other data is refused."""
    kept = {row["id"] for row in selection.rows("selection") if row["kept"]}
    found = [row for row in pool if row["id"] in kept]
    if missing := kept - {row["id"] for row in found}:
        rows = "1 row" if len(missing) == 1 else f"{len(missing):,} rows"
        what = f"{selection.id} keeps {rows} that {data.id} has not, {min(missing)} among them"
        raise ArtifactError(what, "give the data that was scored")
    return found


def _dtype(config: SftConfig) -> tuple[str, str]:
    """The dtype to load the base in, and why where nobody asked: bfloat16 loses small updates of whole weights."""
    if config.method == "full" and config.dtype == "auto":
        return "float32", "full fine-tuning keeps float32 weights"
    return config.dtype, ""


def _check_base(model: Any, base: Artifact) -> None:
    if hasattr(model, "peft_config"):
        raise ArtifactError(f"{base.path} is an adapter, not a whole model", "merge it into its base first")


def _save(model: Any, config: SftConfig, out: Path, base: Artifact) -> None:
    if config.method == "full":
        model.save_pretrained(out)
    else:
        from sluicegate.models.adapters import save_adapter

        save_adapter(model, out, base.path)
