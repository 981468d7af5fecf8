"""scores → selection: a decision for every record, and the messages of those kept."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sluicegate.artifacts import Artifact, write_table
from sluicegate.config import build_inside
from sluicegate.errors import ConfigError, DataError
from sluicegate.registry import RULES, did_you_mean
from sluicegate.schema import Decision, Kind
from sluicegate.stages.base import Sizes, Stage

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from sluicegate.selection.base import Pool, Rule


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
        """The rule's own keys, its budget (`fraction` or `rows`) among them (sluice docs RULE)."""
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
        """What is kept, at most: copies and rows without a score are not known yet."""
        rows = inputs["scores"].get("rows", 0)
        kept = min(config.options.budget(rows), rows)
        return {"rows": kept, "tokens": inputs["scores"].get("tokens", 0) * kept // max(rows, 1)}

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `selection.parquet` and `selected.jsonl`."""
        scores = inputs["scores"]
        rule: Rule = RULES.get(config.rule)(config.options)
        pool = _read_pool(scores, rule, config.by)
        copies = pool.copies() if config.dedup == "exact" else {}
        decided = rule.select(pool, barred=copies)
        write_table(out / "selection.parquet", decided.rows(), Decision)
        kept = {one for one, keep in zip(pool.ids, decided.kept, strict=True) if keep}
        _write_selected(out / "selected.jsonl", kept, scores, inputs.get("data") or scores.parent("data"))
        unscored = len(pool.unscored().keys() - copies.keys())
        return {"rows": len(pool), "kept": len(kept), "duplicates": len(copies), "unscored": unscored}


def _read_pool(scores: Artifact, rule: Rule, by: str) -> Pool:
    """Only the columns the rule asks for."""
    from sluicegate.selection.base import Pool

    known = scores.columns("scores")
    signals = _signals(known)
    if by and by not in signals:
        hint = did_you_mean(by, signals) or f"they have {', '.join(signals)}"
        raise ConfigError(f"{scores.id} has no signal '{by}'", hint)
    wanted = list(dict.fromkeys([*([by, f"{by}_why"] if by else []), *rule.columns()]))
    if missing := set(wanted) - set(known):
        raise ConfigError(f"{scores.id} has no column '{min(missing)}'", "score again: it was made without it")
    table = scores.table("scores", ["id", *wanted])
    return Pool(table["id"].to_pylist(), {name: _as_numpy(table[name]) for name in wanted}, by)


def _as_numpy(column: pa.ChunkedArray) -> np.ndarray:
    """(N,), or (N, D) of a column of lists."""
    import pyarrow.types as types

    if not types.is_list(column.type):
        return column.to_numpy()
    return column.combine_chunks().flatten().to_numpy().reshape(len(column), -1)


def _signals(columns: list[str]) -> list[str]:
    return [name for name in columns if f"{name}_why" in columns]


def _write_selected(path: Path, kept: set[str], scores: Artifact, data: Artifact) -> None:
    """One line per kept record, in the order of the data."""
    columns = ["id", *_signals(scores.columns("scores"))]
    score_of = {row["id"]: row for row in scores.rows("scores", columns) if row["id"] in kept}
    with path.open("w", encoding="utf-8") as file:
        for record in data.rows("messages", ["id", "source", "messages"]):
            if scored := score_of.pop(record["id"], None):
                file.write(json.dumps(_selected(record, scored), ensure_ascii=False) + "\n")
    if score_of:
        hint = "give the data these scores were made of"
        raise DataError(f"{len(score_of)} kept records are not in {data.id}, {min(score_of)} among them", hint)


def _selected(record: Mapping[str, Any], scored: Mapping[str, Any]) -> dict[str, Any]:
    """A score that could not be had is null: NaN is no JSON."""
    scores = {name: None if math.isnan(value) else value for name, value in scored.items() if name != "id"}
    return {"dataset": record["source"], "id": record["id"], "scores": scores, "messages": record["messages"]}
