"""Shards: the same rows whoever asks for them; on disk whole or not there."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import write_table
from sluicegate.schema import Record
from sluicegate.scoring import shards
from sluicegate.scoring.shards import Shards, shard_path, write_shard
from sluicegate.testing import tiny_pool

POOL = tiny_pool(23)
SEEN = [{name: value for name, value in record.items() if name != "meta"} for record in POOL]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table in row groups of 5."""
    write_table(tmp_path / "whole.parquet", POOL, Record)
    pq.write_table(pq.read_table(tmp_path / "whole.parquet"), tmp_path / "messages.parquet", row_group_size=5)
    return tmp_path / "messages.parquet"


@pytest.mark.parametrize("size", [1, 3, 5, 7, 10, 23, 99])
def test_shards_are_the_rows_in_order_without_their_meta(size: int, table: Path) -> None:
    cut = Shards(table, size)
    assert cut.rows == 23
    found = [cut.read(number) for number in range(len(cut))]
    assert [row for rows in found for row in rows] == SEEN
    assert {len(rows) for rows in found[:-1]} <= {size}
    assert [cut.span(n) for n in range(len(cut))] == [(n * size, len(rows)) for n, rows in enumerate(found)]


def test_only_the_row_groups_of_a_shard_are_read(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, groups = pq.ParquetFile.read_row_groups, []
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_groups", lambda file, asked, **kw: groups.append(asked) or read(file, asked, **kw)
    )
    for number in range(3):
        Shards(table, 8).read(number)
    assert groups == [[0, 1], [1, 2, 3], [3, 4]]


def test_a_table_without_rows_has_no_shard(tmp_path: Path) -> None:
    write_table(tmp_path / "messages.parquet", [], Record)
    assert len(Shards(tmp_path / "messages.parquet", 4)) == 0


def test_a_shard_of_another_size_has_another_name(tmp_path: Path) -> None:
    spans = [("base", (0, 3)), ("base", (0, 4)), ("tuned", (0, 4)), ("base", (3, 3))]
    assert len({shard_path(tmp_path, step, span) for step, span in spans}) == 4


def test_a_shard_that_fails_half_way_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(table: pa.Table, path: Path) -> None:
        path.write_bytes(b"PAR1")
        raise KeyboardInterrupt

    path = shard_path(tmp_path, "base", (0, 2))
    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", torn)
        with pytest.raises(KeyboardInterrupt):
            write_shard(path, {"id": ["a", "b"]})
    assert not path.exists()
    write_shard(path, {"id": ["a", "b"]})
    assert pq.read_table(path)["id"].to_pylist() == ["a", "b"]


def test_two_who_write_the_same_shard_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts, replace = [], shards.os.replace
    monkeypatch.setattr(shards.os, "replace", lambda draft, path: drafts.append(draft) or replace(draft, path))
    for _ in range(2):
        write_shard(shard_path(tmp_path, "base", (0, 2)), {"id": ["a", "b"]})
    assert len(set(drafts)) == 2
