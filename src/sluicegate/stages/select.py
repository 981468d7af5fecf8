"""scores → selection: a decision for every record, and the messages of those kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sluicegate.artifacts import CHUNK_ROWS, Artifact, arrow_schema, write_tables
from sluicegate.config import build_inside
from sluicegate.errors import ConfigError, DataError
from sluicegate.registry import RULES, did_you_mean
from sluicegate.schema import Decision, Kind
from sluicegate.stages.base import Sizes, Stage

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from sluicegate.selection.base import Decisions, Pool, Rule

TABLE_ROWS = 65_536
"""Decisions that are written at a time."""


class Select(Stage):
    """Keep the part of the data a rule chooses by its scores."""

    name = "select"
    makes: ClassVar[Kind] = "selection"
    takes: ClassVar[dict[str, Kind]] = {"scores": "scores"}
    may_take: ClassVar[dict[str, Kind]] = {"data": "messages"}

    class Config(Stage.Config):
        rule: str = "top_k"
        """The rule that chooses (sluice ls rules)."""
        by: str = ""
        """The signal to rank by; the random rules work without one."""
        options: Any = Field(None, validate_default=True)
        """The rule's own keys, its budget (`fraction`, `rows`, `tokens` or `token_fraction`) among them (sluice docs
        RULE)."""
        dedup: Literal["exact", "none"] = "exact"
        """`exact`: of conversations with the same messages only the first by id may be kept."""

        @field_validator("options")
        @classmethod
        def _as_the_rule_says(cls, options: Any, info: ValidationInfo) -> Any:
            return build_inside(RULES.get(info.data["rule"]).Config, options or {}) if "rule" in info.data else options

        @model_validator(mode="after")
        def _has_what_to_rank_by(self) -> Select.Config:
            if RULES.get(self.rule).needs_score and not self.by:
                raise ValueError(f"rule '{self.rule}' ranks by a signal, and `by` names none")
            return self

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """What is kept, at most, of rows of one length: copies and rows without a score are not known yet."""
        known = inputs["scores"]
        rows, tokens = known.get("rows", 0), known.get("tokens", known.get("label_tokens", 0))
        kept = min(config.options.budget(rows), rows)
        if tokens and (room := config.options.token_budget(tokens)) is not None:
            kept = rows * min(room, tokens) // tokens
        return {"rows": kept, "tokens": tokens * kept // max(rows, 1)}

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `selection.parquet` and `selected.jsonl`."""
        scores = inputs["scores"]
        rule: Rule = RULES.get(config.rule)(config.options)
        pool = _read_pool(scores, rule, config.by)
        copies = pool.copies() if config.dedup == "exact" else {}
        decided = rule.select(pool, barred=copies)
        write_tables(out / "selection.parquet", _tables(decided), arrow_schema(Decision))
        data = inputs.get("data") or scores.parent("data")
        _write_selected(out / "selected.jsonl", _kept(scores, decided), data)
        unscored = pool.unscored().astype(bool)
        unscored[list(copies)] = False  # they have a reason already
        counts = {"kept": decided.kept.sum(), "duplicates": len(copies), "unscored": unscored.sum()}
        return {"rows": len(pool)} | {name: int(n) for name, n in counts.items()}


def _read_pool(scores: Artifact, rule: Rule, by: str) -> Pool:
    """Only the columns the rule asks for."""
    from sluicegate.selection.base import Pool

    known = scores.columns("scores")
    signals = _signals(known)
    if by and by not in signals:
        hint = did_you_mean(by, signals) or f"they have {', '.join(signals)}"
        raise ConfigError(f"{scores.id} has no signal '{by}'", hint)
    wanted = list(dict.fromkeys([*([by, f"{by}_why"] if by else []), *rule.columns(by)]))
    if missing := set(wanted) - set(known):
        raise ConfigError(f"{scores.id} has no column '{min(missing)}'", "score again: it was made without it")
    table = scores.table("scores", ["id", *wanted])
    return Pool(table["id"].to_numpy(), {name: _as_numpy(table[name]) for name in wanted}, by)


def _as_numpy(column: pa.ChunkedArray) -> np.ndarray:
    """(N,), or (N, D) of a column of lists; rows of one text share it."""
    import pyarrow.types as types

    if types.is_list(column.type):
        return column.combine_chunks().flatten().to_numpy().reshape(len(column), -1)
    if types.is_string(column.type):
        texts = column.dictionary_encode().combine_chunks()
        return texts.dictionary.to_numpy(zero_copy_only=False)[texts.indices.to_numpy()]
    return column.to_numpy()


def _signals(columns: list[str]) -> list[str]:
    return [name for name in columns if f"{name}_why" in columns]


def _tables(decided: Decisions) -> Iterator[pa.Table]:
    """Every record's decision, in the order of the scores."""
    import pyarrow as pa

    schema = arrow_schema(Decision)
    for first in range(0, len(decided.ids), TABLE_ROWS):
        some = slice(first, first + TABLE_ROWS)
        yield pa.table([decided.ids[some], decided.kept[some], decided.rank[some], decided.reason[some]], schema=schema)


def _kept(scores: Artifact, decided: Decisions) -> pa.Table:
    """Ids and scores of the kept records."""
    import pyarrow as pa

    columns = ["id", *_signals(scores.columns("scores"))]
    return scores.table("scores", columns).filter(pa.array(decided.kept)).combine_chunks()


def _write_selected(path: Path, kept: pa.Table, data: Artifact) -> None:
    """One line per kept record, in the order of the data."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    ids = data.table("messages", ["id"])["id"]
    if lost := kept["id"].filter(pc.invert(pc.is_in(kept["id"], ids))).to_pylist():
        hint = "give the data these scores were made of"
        raise DataError(f"{len(lost)} kept records are not in {data.id}, {min(lost)} among them", hint)
    place = pc.index_in(ids, kept["id"]).combine_chunks()  # (N,) of each record among the kept, null for the others
    messages = pq.ParquetFile(data.path / "messages.parquet", pre_buffer=False)  # or all of it would be in memory
    with messages, path.open("w", encoding="utf-8") as file:
        for batch in messages.iter_batches(CHUNK_ROWS, columns=["id", "source", "messages"], use_threads=False):
            own, place = place[: len(batch)], place[len(batch) :]
            records = batch.filter(own.is_valid()).to_pylist()
            for record, scored in zip(records, kept.take(own.drop_null()).to_pylist(), strict=True):
                file.write(json.dumps(_selected(record, scored), ensure_ascii=False) + "\n")


def _selected(record: Mapping[str, Any], scored: Mapping[str, Any]) -> dict[str, Any]:
    """A score that could not be had is null: NaN is no JSON."""
    scores = {name: None if math.isnan(value) else value for name, value in scored.items() if name != "id"}
    return {"dataset": record["source"], "id": record["id"], "scores": scores, "messages": record["messages"]}
