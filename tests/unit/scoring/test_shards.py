"""Scores on disk: whole or not there, joined by id."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import read_rows
from sluicegate.errors import DataError
from sluicegate.scoring.shards import FOLDER, merge, shard_path, shards, side_by_side, write_shard
from sluicegate.testing import tiny_pool


def columns(ids: str, **signals: list[float]) -> dict[str, Any]:
    own: dict[str, Any] = {"id": list(ids), "n_label_tokens": [2] * len(ids)}
    own["n_truncated_tokens"] = [int(i == "c") for i in ids]
    for name, values in signals.items():
        own |= {name: values, f"{name}_why": ["cut" if math.isnan(v) else "" for v in values]}
    return own


def test_shards_are_the_rows_in_order() -> None:
    pool = tiny_pool(7)
    assert [(first, len(rows)) for first, rows in shards(pool, 3)] == [(0, 3), (3, 3), (6, 1)]
    assert [row for _, rows in shards(pool, 3) for row in rows] == pool


def test_a_shard_of_another_size_has_another_name(tmp_path: Path) -> None:
    assert (
        shard_path(tmp_path, "base", 0, 3) != shard_path(tmp_path, "base", 0, 4) != shard_path(tmp_path, "tuned", 0, 4)
    )


def test_a_shard_that_fails_half_way_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(table: pa.Table, path: Path) -> None:
        path.write_bytes(b"PAR1")
        raise KeyboardInterrupt

    monkeypatch.setattr(pq, "write_table", torn)
    path = shard_path(tmp_path, "base", 0, 2)
    with pytest.raises(KeyboardInterrupt):
        write_shard(path, columns("ab"))
    assert not path.exists()


def test_passes_are_put_together_shard_by_shard_and_counted(tmp_path: Path) -> None:
    files = []
    for step, signal in (("tuned", "gate"), ("base", "perplexity")):
        paths = [shard_path(tmp_path, step, first, 2) for first in (0, 2)]
        write_shard(paths[0], columns("ab", **{signal: [1.0, math.nan]}))
        write_shard(paths[1], columns("cd", **{signal: [3.0, 4.0]}))
        files.append(paths)
    counts = merge(tmp_path, files, ["gate", "perplexity"])
    assert counts == {"rows": 4, "label_tokens": 8, "truncated": 1, "unscored_gate": 1, "unscored_perplexity": 1}
    rows = list(read_rows(tmp_path / "scores.parquet"))
    assert [row["id"] for row in rows] == list("abcd")
    assert [row["perplexity"] for row in rows[2:]] == [3.0, 4.0]
    assert rows[1]["gate_why"] == "cut"
    assert not (tmp_path / FOLDER).exists()


def test_passes_are_joined_by_id_and_not_by_row_number() -> None:
    gate, other = pa.table(columns("abc", gate=[1.0, 2.0, 3.0])), pa.table(columns("cab", loss=[30.0, 10.0, 20.0]))
    joined = side_by_side([gate, other])
    assert joined["id"].to_pylist() == list("abc")
    assert joined["loss"].to_pylist() == [10.0, 20.0, 30.0]
    assert joined["n_truncated_tokens"].to_pylist() == [0, 0, 1]


def test_data_without_a_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row to score"):
        merge(tmp_path, [[]], ["gate"])
