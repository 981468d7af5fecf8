"""Which model is read for which signals: every model once, whatever the number of signals that want it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from pydantic import create_model

from sluicegate.config import Config, build_inside
from sluicegate.errors import ConfigError
from sluicegate.registry import SIGNALS
from sluicegate.schema import Record
from sluicegate.scoring.base import Reads, Seen, Shard, Signal
from sluicegate.scoring.detail import Detail, detail_columns

if TYPE_CHECKING:
    from pathlib import Path

    from sluicegate.models.encode import Encoded, Encoder
    from sluicegate.scoring.forward import Reader


MODELS: tuple[Reads, ...] = ("tuned", "base", "gate")
NOT_FINITE = "the model gave no finite number"
MINUS = "-"
"""Before the name of a signal: the column of what is taken away from it."""
Gates: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What `gate.json` says, by the name of each member of a cross-fitted gate, or by "" for any other; {} for no gate."""


@dataclass(frozen=True)
class Pass:
    """One model read over all rows, and the signals that come out of it."""

    model: Reads
    """`base`; `tuned`, the gate's copy; `gate`, whichever of the two it reads, changed by gates that act; `nothing`
    where no signal reads a model."""
    signals: Mapping[str, tuple[Signal, Any]]
    """Name to the signal and its config."""
    gated: bool
    """Whether the gates hang on this model."""
    member: str = ""
    """Of a cross-fitted gate, for which this pass is made."""
    detail: Detail = "none"
    """What is kept of this pass beside its signals."""

    @property
    def name(self) -> str:
        """Tells it from the other passes over the same rows."""
        return f"{self.model}-{self.member}" if self.member else self.model


class _Place(NamedTuple):
    model: Reads
    member: str


def build_options(names: Sequence[str], options: Mapping[str, Any]) -> dict[str, Config]:
    """The config of every signal asked for, by name; for a validator of the block the options stand in."""
    fields: dict[str, Any] = {name: (SIGNALS.get(name).Config, ...) for name in names}
    block = create_model("Options", __base__=Config, **fields)
    return dict(build_inside(block, {name: {} for name in names} | dict(options)))


def check_needs(names: Iterable[str], inputs: Collection[str]) -> None:
    """Raise `ConfigError` for a signal that cannot do without an input that is not given."""
    for name in names:
        if lost := sorted(SIGNALS.get(name).needs - set(inputs)):
            hint = f"add `{lost[0]}:` with a prepare step of rows you believe in, or leave the signal out"
            raise ConfigError(f"signal '{name}' needs {lost[0]} rows", hint)


def plan_passes(options: Mapping[str, Config], gates: Gates, detail: Detail = "none") -> list[Pass]:
    """The passes that signals ask for; signals that read nothing ride along on the first.

    Args:
        options: the config of every signal, by name.
        gates: the gate the scores are made with.
        detail: asked of the model the gate reads, or else of the base, which then is read whatever the signals are.

    Raises:
        ConfigError: a signal that reads a gate or its copy, where there is no gate, or that sets a copy against the
            base, where the gate has none.
    """
    asked: dict[str, tuple[Signal, Any]] = {n: (SIGNALS.get(n)(), config) for n, config in options.items()}
    models = {n: signal.reads for n, (signal, _) in asked.items()}
    models |= {MINUS + n: signal.minus for n, (signal, _) in asked.items() if signal.minus}
    signals = {n: asked[n.removeprefix(MINUS)] for n in models}
    read = {n: _places(n.removeprefix(MINUS), model, gates) for n, model in models.items()}
    gated = {place for n, model in models.items() if model == "gate" for place in read[n]}
    _check_apart(read)
    detailed = set() if detail == "none" else gated or {_Place("base", "")}
    found = {place: None for places in [*read.values(), detailed] for place in places}
    places = [place for model in MODELS for place in found if place.model == model] or [_Place("nothing", "")]
    return [
        Pass(
            place.model,
            {n: s for n, s in signals.items() if place in (read[n] or places[:1])},
            place in gated,
            place.member,
            detail if place in detailed else "none",
        )
        for place in places
    ]


def fit_signals(
    step: Pass, reader: Reader | None, encoder: Encoder, trusted: Sequence[Record], batch_tokens: int
) -> dict[str, Any]:
    """What each signal of a pass learns before the first shard, by name; the order of the trusted rows is nothing.

    Rows that several signals learn from are read once.
    """
    rows = sorted(trusted, key=lambda record: record["id"])
    known: dict[tuple[str, ...], tuple[list[Encoded], Seen | None]] = {}

    def read(name: str, rows: Sequence[Record]) -> Shard:
        ids = tuple(record["id"] for record in rows)
        if ids not in known:
            encoded = encoder.encode_batch(rows)
            seen = reader.see(encoded, batch_tokens, lambda n_rows: None, False, step.signals) if reader else None
            known[ids] = encoded, seen
        return shard_for(name, rows, *known[ids])

    return {name: signal.fit(partial(read, name), rows, config) for name, (signal, config) in step.signals.items()}


def score_shard(
    step: Pass,
    reader: Reader | None,
    encoder: Encoder,
    rows: list[Record],
    batch_tokens: int,
    advance: Callable[[int], None],
    learned: Mapping[str, Any],
    at: Path | None = None,
) -> dict[str, Any]:
    """The columns one pass gives for one shard.

    Args:
        learned: what `fit_signals` says.
        at: where the shard will stand; signals leave their notes beside it.
    """
    encoded = encoder.encode_batch(rows)
    seen = reader.see(encoded, batch_tokens, advance, step.detail == "tokens", step.signals) if reader else None
    columns = _row_columns(rows, encoded)
    for name, (signal, config) in step.signals.items():
        shard = shard_for(name, rows, encoded, seen, learned[name], at and at.with_suffix(f".{name}.jsonl"))
        columns |= _signal_columns(name, signal, shard, config)
    if seen:
        columns |= {"prompt_state": list(seen.prompt_state)} | detail_columns(seen, step.detail)
    return columns


def shard_for(
    name: str,
    rows: Sequence[Record],
    encoded: Sequence[Encoded],
    seen: Seen | None,
    learned: Any = None,
    notes: Path | None = None,
) -> Shard:
    """What the signal of a name is handed of rows that a pass has seen."""
    return Shard(rows, encoded, seen, seen.observed.get(name) if seen else None, learned, notes)


def _check_apart(read: Mapping[str, list[_Place]]) -> None:
    """A model is not compared with itself."""
    models = {name: {place.model for place in places} for name, places in read.items()}
    for name in models:
        if models[name] & models.get(MINUS + name, set()):
            hint = "warm up with reference=full or reference=lora, or leave the signal out"
            raise ConfigError(f"signal '{name}' compares two models, and the gate has no tuned copy", hint)


def _places(name: str, reads: Reads, gates: Gates) -> list[_Place]:
    """The models a signal reads: one for each member of a gate."""
    if reads == "nothing":
        return []
    if reads == "base":
        return [_Place("base", "")]
    if not gates:
        raise ConfigError(f"signal '{name}' needs a gate", "add `gate:` with a warmup step, or leave the signal out")
    return [_Place(_model_of(reads, facts), member) for member, facts in gates.items()]


def _model_of(reads: Reads, facts: Mapping[str, Any]) -> Reads:
    """Gates that only observe share a model with other signals; those that act have it for themselves."""
    if reads == "gate" and facts.get("acts"):
        return "gate"
    return "tuned" if facts["reference"] else "base"


def _row_columns(records: Sequence[Record], encoded: Sequence[Encoded]) -> dict[str, Any]:
    return {
        "id": [r["id"] for r in records],
        "source": [r["source"] for r in records],
        "lang": [r["lang"] for r in records],
        "n_prompt_tokens": np.array([e.n_prompt for e in encoded], dtype=np.int32),
        "n_label_tokens": np.array([e.n_label for e in encoded], dtype=np.int32),
        "n_truncated_tokens": np.array([e.truncated for e in encoded], dtype=np.int32),
    }


def _signal_columns(name: str, signal: Signal, shard: Shard, config: Any) -> dict[str, Any]:
    columns = _score_columns(name, signal.score(shard, config))
    if not name.startswith(MINUS):
        columns |= {f"{name}_{more}": list(values) for more, values in signal.further(shard, config).items()}
    return columns


def _score_columns(name: str, scored: Sequence[float | str]) -> dict[str, Any]:
    with np.errstate(over="ignore"):
        values = np.array([np.nan if isinstance(v, str) else v for v in scored], dtype=np.float32)
    finite = np.isfinite(values)
    why = [v if isinstance(v, str) else "" if good else NOT_FINITE for v, good in zip(scored, finite, strict=True)]
    return {name: np.where(finite, values, np.float32("nan")), f"{name}_why": why}
