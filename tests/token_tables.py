"""Scores with numbers per token, as `detail: tokens` lays them down, made without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sluicegate.artifacts import Artifact, write_tables
from sluicegate.testing import sealed

HALVES = pa.list_(pa.float16())
DETAIL = {"nll": HALVES, "gate_logits": pa.list_(HALVES)}
Row = tuple[str, str, Sequence[float], Sequence[Sequence[float]]]
"""id, source, nll, gate logits by layer."""


def token_table(root: Path, rows: Sequence[Row], without: Sequence[str] = (), **seal: Any) -> Artifact:
    """A scores artifact in the store `root` whose `gate` is the mean logit; `without` some columns."""
    plain: dict[str, list[Any]] = {"id": [], "source": [], "gate": [], "gate_why": [], "nll": [], "gate_logits": []}
    for record_id, source, nll, gates in rows:
        values = [z for layer in gates for z in layer]
        score = sum(values) / len(values) if values else float("nan")
        why = "" if values else "no response token left"
        for column, value in zip(plain, (record_id, source, score, why, nll, gates), strict=True):
            plain[column].append(value)
    return sealed(root, "scores", lambda out: _write(out, plain, without), **seal)


def _write(out: Path, columns: Mapping[str, list[Any]], without: Sequence[str]) -> dict[str, Any]:
    types = {"id": pa.string(), "source": pa.string(), "gate": pa.float32(), "gate_why": pa.string(), **DETAIL}
    schema = pa.schema([(name, kind) for name, kind in types.items() if name not in without])
    table = pa.table({name: columns[name] for name in schema.names}, schema=schema)
    return {"rows": write_tables(out / "scores.parquet", [table], schema)}
