"""Columns join by id, in the order of the other table, or not at all."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import Artifact, read_rows
from sluicegate.errors import ArtifactError
from sluicegate.scoring import beside
from sluicegate.scoring.beside import put_beside
from sluicegate.testing import sealed

IDS = ["a", "b", "c", "d", "e"]


def other(root: Path, ids: list[str], name: str = "gate") -> Artifact:
    table = pa.table({"id": ids, name: [float(ord(one[0])) for one in ids], "prompt_state": [[1.0, 2.0]] * len(ids)})
    return sealed(
        root, "scores", lambda out: pq.write_table(table, out / "scores.parquet"), recipe={"config": {name: ids}}
    )


def own(out: Path) -> Path:
    out.mkdir()
    columns = {"id": IDS[::-1], "less": [-float(ord(one)) for one in IDS[::-1]], "less_why": [""] * 5, "more": [0] * 5}
    pq.write_table(pa.table(columns), out / "scores.parquet")
    return out


def test_columns_are_joined_by_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "BATCH_ROWS", 2)
    out, known = own(tmp_path / "out"), other(tmp_path, IDS)
    for _ in range(2):  # a kill between this and the seal has it done again
        put_beside(out, ["less", "less_why"], known)
        rows = list(read_rows(out / "scores.parquet"))
        assert [row["id"] for row in rows] == IDS
        assert all(row["less"] == -row["gate"] == -float(ord(row["id"])) for row in rows)
        assert list(rows[0]) == ["id", "gate", "prompt_state", "less", "less_why"]
    assert '"less": -97.0' in (out / "scores.head.jsonl").read_text()


@pytest.mark.parametrize(
    ("ids", "words"),
    [(IDS[:4], r"lacks some of the 5 rows"), ([*IDS, "stranger"], r"has row stranger, which was not scored here")],
)
def test_scores_of_other_rows_are_refused(ids: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=words):
        put_beside(own(tmp_path / "out"), ["less", "less_why"], other(tmp_path, ids))


def test_a_column_is_not_made_twice(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="has a column 'less' already"):
        put_beside(own(tmp_path / "out"), ["less", "less_why"], other(tmp_path, IDS, "less"))
