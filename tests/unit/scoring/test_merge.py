"""Many files to one table: joined by id, the mean of a gate's members, there once it is whole."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sluicegate.artifacts import read_rows
from sluicegate.errors import DataError
from sluicegate.scoring import merge as merging
from sluicegate.scoring.detail import ragged, ragged_layers
from sluicegate.scoring.merge import clear, count, mean_of, merge, side_by_side, subtract
from sluicegate.scoring.shards import FOLDER, shard_path, write_shard


def columns(ids: str, **signals: list[float]) -> dict[str, Any]:
    own: dict[str, Any] = {"id": list(ids), "n_label_tokens": [2] * len(ids)}
    own["n_truncated_tokens"] = [int(i == "c") for i in ids]
    for name, values in signals.items():
        own |= {name: np.float32(values), f"{name}_why": ["cut" if math.isnan(v) else "" for v in values]}
    return own


def two_passes(out: Path) -> list[list[Path]]:
    """Two shards of two rows, each read by two passes."""
    files = []
    for ids, gate, perplexity in (("ab", [1.0, math.nan], [5.0, 6.0]), ("cd", [3.0, 4.0], [7.0, math.nan])):
        span = ("ac".index(ids[0]) * 2, 2)
        paths = [shard_path(out, step, span) for step in ("tuned", "base")]
        write_shard(paths[0], columns(ids, gate=gate))
        write_shard(paths[1], columns(ids[::-1], perplexity=perplexity[::-1]))
        files.append(paths)
    return files


def test_passes_are_put_together_shard_by_shard_and_counted(tmp_path: Path) -> None:
    merge(tmp_path, two_passes(tmp_path))
    clear(tmp_path)
    rows = list(read_rows(tmp_path / "scores.parquet"))
    assert [row["id"] for row in rows] == list("abcd")
    assert [row["perplexity"] for row in rows[:3]] == [5.0, 6.0, 7.0]
    assert rows[1]["gate_why"] == "cut"
    counts = count(tmp_path / "scores.parquet", ["gate", "perplexity"])
    assert counts == {"rows": 4, "label_tokens": 8, "truncated": 1, "unscored_gate": 1, "unscored_perplexity": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.head.jsonl", "scores.parquet"]
    heads = (tmp_path / "scores.head.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in heads] == ["a", "b"]


def test_a_merge_that_stops_half_way_leaves_no_table_and_every_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, seen = two_passes(tmp_path), []

    def stops(tables: list[pa.Table]) -> pa.Table:
        seen.append(tables)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return side_by_side(tables)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "side_by_side", stops)
        with pytest.raises(KeyboardInterrupt):
            merge(tmp_path, files)
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]
    merge(tmp_path, files)
    assert count(tmp_path / "scores.parquet", [])["rows"] == 4


def test_passes_are_joined_by_id_and_not_by_row_number() -> None:
    gate, other = pa.table(columns("abc", gate=[1.0, 2.0, 3.0])), pa.table(columns("cab", loss=[30.0, 10.0, 20.0]))
    joined = side_by_side([gate, other])
    assert joined["id"].to_pylist() == list("abc")
    assert joined["loss"].to_pylist() == [10.0, 20.0, 30.0]
    assert joined["n_truncated_tokens"].to_pylist() == [0, 0, 1]


def test_a_signal_of_two_members_is_their_mean_or_missing_for_a_reason() -> None:
    one = pa.table(columns("abcd", gate=[1.0, math.nan, 3.0, math.nan]))
    two = pa.table(columns("dcba", gate=[math.nan, math.nan, 5.0, 2.0]))
    joined = side_by_side([one, two])
    np.testing.assert_array_equal(joined["gate"], np.float32([1.5, math.nan, math.nan, math.nan]))
    assert joined["gate"].type == pa.float32()
    assert joined["gate_why"].to_pylist() == ["", "cut", "cut", "cut"]


def test_the_mean_of_ragged_columns_is_as_ragged() -> None:
    rng = np.random.default_rng(0)
    rows = [[rng.normal(size=(2, t)).astype(np.float16) for t in (3, 0, 5)] for _ in range(2)]
    wanted = [((one.astype(np.float32) + two) / 2).astype(np.float16).tolist() for one, two in zip(*rows, strict=True)]
    layers = mean_of([ragged_layers(own) for own in rows])
    assert layers.to_pylist() == wanted
    assert layers.type == pa.list_(pa.list_(pa.float16()))
    tokens = mean_of([ragged([row[0] for row in own]) for own in rows])
    assert tokens.to_pylist() == [row[0] for row in wanted]


def test_data_without_a_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row to score"):
        merge(tmp_path, [])


def test_what_a_second_model_says_is_taken_away_and_either_reason_counts() -> None:
    first = columns("abc", gate=[1.0, 2.0, 3.0], excess=[-1.0, -2.0, math.nan])
    found = subtract(pa.table(first | columns("abc", **{"-excess": [-3.0, math.nan, -4.0]})))
    assert found.column_names == list(first), "in the place of the first"
    np.testing.assert_array_equal(found["excess"].to_numpy(), np.float32([2.0, math.nan, math.nan]))
    assert found["excess"].type == pa.float32()
    assert found["excess_why"].to_pylist() == ["", "cut", "cut"]
    assert found.select(["gate", "id"]).equals(pa.table(first).select(["gate", "id"]))
