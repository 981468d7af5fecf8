"""Which model is read for which signals: every model once, whatever the number of signals that want it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pydantic import create_model

from sluicegate.artifacts import Artifact
from sluicegate.config import Config, build_inside
from sluicegate.errors import ConfigError
from sluicegate.registry import SIGNALS
from sluicegate.runtime import progress
from sluicegate.schema import Record
from sluicegate.scoring.base import HIDDEN, Reads, Shard, Signal
from sluicegate.scoring.detail import Detail, detail_columns
from sluicegate.scoring.shards import shard_path, shards, write_shard

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoded, Encoder
    from sluicegate.scoring.forward import Reader


MODELS: tuple[Reads, ...] = ("tuned", "base")
SEEN = [name for name in Record.__annotations__ if name != HIDDEN]
NOT_FINITE = "the model gave no finite number"


@dataclass(frozen=True)
class Pass:
    """One model read over all rows, and the signals that come out of it."""

    model: Reads
    """`base`, `tuned`, or `nothing` where no signal reads a model."""
    signals: Mapping[str, tuple[Signal, Any]]
    """Name to the signal and its config."""
    gated: bool
    """Whether the gates hang on this model."""
    detail: Detail = "none"
    """What is kept of this pass beside its signals."""


def build_options(names: Sequence[str], options: Mapping[str, Any]) -> dict[str, Config]:
    """The config of every signal asked for, by name; for a validator of the block the options stand in."""
    fields: dict[str, Any] = {name: (SIGNALS.get(name).Config, ...) for name in names}
    block = create_model("Options", __base__=Config, **fields)
    return dict(build_inside(block, {name: {} for name in names} | dict(options)))


def plan_passes(options: Mapping[str, Config], gate: Mapping[str, Any] | None, detail: Detail = "none") -> list[Pass]:
    """The passes that signals ask for; signals that read nothing ride along on the first.

    Args:
        options: the config of every signal, by name.
        gate: what its `gate.json` says.
        detail: asked of the model the gate reads, or else of the base, which then is read whatever the signals are.

    Raises:
        ConfigError: a signal that reads a gate or its copy, where there is no gate.
    """
    signals: dict[str, tuple[Signal, Any]] = {n: (SIGNALS.get(n)(), config) for n, config in options.items()}
    reads = {n: _model_of(n, signal.reads, gate) for n, (signal, _) in signals.items()}
    gated = {reads[n] for n, (signal, _) in signals.items() if signal.reads == "gate"}
    detailed: set[Reads] = set() if detail == "none" else gated or {"base"}
    models: list[Reads] = [m for m in MODELS if m in {*reads.values(), *detailed}] or ["nothing"]
    for name in [n for n, read in reads.items() if read == "nothing"]:
        reads[name] = models[0]
    return [
        Pass(m, {n: s for n, s in signals.items() if reads[n] == m}, m in gated, detail if m in detailed else "none")
        for m in models
    ]


def run_pass(
    step: Pass, reader: Reader | None, encoder: Encoder, data: Artifact, out: Path, shard_rows: int, batch_tokens: int
) -> list[Path]:
    """Score every shard that does not stand yet; returns the pass's shard files, in the order of the rows."""
    files = []
    with progress() as bar:
        task = bar.add_task(f"score ({step.model})", total=data.stats.get("rows"))
        for first, rows in shards(cast(Iterator[Record], data.rows("messages", SEEN)), shard_rows):
            path = shard_path(out, step.model, first, len(rows))
            if not path.exists():
                write_shard(path, score_shard(step, reader, encoder, rows, batch_tokens, partial(bar.advance, task)))
            bar.update(task, completed=first + len(rows))
            files.append(path)
    return files


def score_shard(
    step: Pass,
    reader: Reader | None,
    encoder: Encoder,
    rows: list[Record],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """The columns one pass gives for one shard."""
    encoded = encoder.encode_batch(rows)
    seen = reader.see(encoded, batch_tokens, advance, step.detail == "tokens") if reader else None
    columns = _row_columns(rows, encoded)
    for name, (signal, config) in step.signals.items():
        columns |= _signal_columns(name, signal.score(Shard(rows, encoded, seen), config))
    if seen:
        columns |= {"prompt_state": list(seen.prompt_state)} | detail_columns(seen, step.detail)
    return columns


def _model_of(name: str, reads: Reads, gate: Mapping[str, Any] | None) -> Reads:
    if reads in ("nothing", "base"):
        return reads
    if gate is None:
        raise ConfigError(f"signal '{name}' needs a gate", "add `gate:` with a warmup step, or leave the signal out")
    return "tuned" if gate["reference"] else "base"


def _row_columns(records: Sequence[Record], encoded: Sequence[Encoded]) -> dict[str, Any]:
    return {
        "id": [r["id"] for r in records],
        "source": [r["source"] for r in records],
        "lang": [r["lang"] for r in records],
        "n_prompt_tokens": np.array([e.n_prompt for e in encoded], dtype=np.int32),
        "n_label_tokens": np.array([e.n_label for e in encoded], dtype=np.int32),
        "n_truncated_tokens": np.array([e.truncated for e in encoded], dtype=np.int32),
    }


def _signal_columns(name: str, scored: Sequence[float | str]) -> dict[str, Any]:
    with np.errstate(over="ignore"):
        values = np.array([np.nan if isinstance(v, str) else v for v in scored], dtype=np.float32)
    finite = np.isfinite(values)
    why = [v if isinstance(v, str) else "" if good else NOT_FINITE for v, good in zip(scored, finite, strict=True)]
    return {name: np.where(finite, values, np.float32("nan")), f"{name}_why": why}
