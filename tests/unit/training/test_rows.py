from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sluicegate.artifacts import Artifact, write_arrow, write_table
from sluicegate.errors import ArtifactError, DataError
from sluicegate.schema import Decision, Record
from sluicegate.testing import sealed, tiny_pool
from sluicegate.training.rows import TrainingRows

POOL = tiny_pool(20)


def messages(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def selection(root: Path, kept: set[str]) -> Artifact:
    rows = [{"id": row["id"], "kept": row["id"] in kept, "rank": n, "reason": "so"} for n, row in enumerate(POOL)]
    return sealed(root, "selection", lambda out: {"rows": write_table(out / "selection.parquet", rows, Decision)})


@pytest.fixture
def data(tmp_path: Path) -> Artifact:
    return messages(tmp_path / "data", POOL)


def test_all_rows_without_a_selection(data: Artifact) -> None:
    rows = TrainingRows.of(data, None, None)
    assert list(rows.records()) == POOL
    assert rows.ids == [row["id"] for row in POOL]


def test_kept_rows_come_first_and_trusted_ones_once(data: Artifact, tmp_path: Path) -> None:
    copy: Record = {**POOL[0], "id": POOL[0]["id"] + ".2"}
    others = tiny_pool(23)[20:]
    trusted = messages(tmp_path / "trusted", [copy, others[2], POOL[5], others[0]])
    chosen = TrainingRows.of(data, selection(tmp_path, {POOL[n]["id"] for n in (7, 0, 3)}), trusted)
    expected = [POOL[0], POOL[3], POOL[7], others[2], POOL[5], others[0]]
    assert list(chosen.records()) == expected
    assert chosen.ids == [row["id"] for row in expected]
    assert (len(chosen.pool_ids), len(chosen.trusted_ids)) == (3, 3)


def test_a_mixture_draws_the_rest_of_its_rows_from_what_was_not_kept(data: Artifact, tmp_path: Path) -> None:
    kept = {POOL[n]["id"] for n in (2, 5, 11)}
    one, again, other = (TrainingRows.of(data, selection(tmp_path, kept), None, 0.25, seed) for seed in (0, 0, 1))
    assert one.ids == again.ids != other.ids
    for chosen in (one, other):
        assert len(chosen.ids) == 12
        assert kept < set(chosen.ids)
        assert chosen.ids == [row["id"] for row in POOL if row["id"] in chosen.ids]


def test_a_mixture_of_more_than_there_is_takes_all_and_one_of_nothing_else_the_selection(
    data: Artifact, tmp_path: Path
) -> None:
    kept = selection(tmp_path, {POOL[n]["id"] for n in range(10)})
    assert len(TrainingRows.of(data, kept, None, 0.1).ids) == len(POOL)
    assert TrainingRows.of(data, kept, None, 1.0).ids == TrainingRows.of(data, kept, None).ids


def test_a_selection_of_other_data_and_one_of_nothing_are_refused(tmp_path: Path) -> None:
    few = messages(tmp_path / "few", POOL[:5])
    with pytest.raises(ArtifactError, match=f"keeps 1 row .* {POOL[9]['id']}"):
        TrainingRows.of(few, selection(tmp_path / "a", {POOL[2]["id"], POOL[9]["id"]}), None)
    with pytest.raises(DataError, match="no rows to train on"):
        TrainingRows.of(few, selection(tmp_path / "b", set()), None)


def test_columns_stand_in_the_order_of_the_rows(data: Artifact, tmp_path: Path) -> None:
    chosen = TrainingRows.of(data, selection(tmp_path, {POOL[1]["id"], POOL[4]["id"]}), messages(tmp_path, POOL[8:10]))
    columns = chosen.columns()
    assert {name: column.tolist() for name, column in columns.items()} == {
        "lang": ["zh", "en", "en", "zh"],
        "source": ["tiny/1", "tiny/0", "tiny/0", "tiny/1"],
    }


def test_other_columns_come_from_scores_or_from_meta(data: Artifact, tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.string()), ("gate", pa.float32()), ("fault", pa.float32())])
    rows = [{"id": row["id"], "gate": n / 4, "fault": -1.0} for n, row in enumerate(POOL[:19])]
    scores = sealed(tmp_path, "scores", lambda out: {"rows": write_arrow(out / "scores.parquet", rows, schema)})
    chosen = TrainingRows.of(data, None, None)
    gate = chosen.columns(["gate"], scores)["gate"]
    assert gate[:19].tolist() == [n / 4 for n in range(19)]
    assert np.isnan(gate[19])
    assert chosen.columns(["fault"])["fault"].tolist() == ["wrong" * (n % 5 == 4) for n in range(20)]
    assert chosen.columns(["fault"], scores)["fault"].dtype.kind == "f", "scores go before"
    assert set(chosen.columns(["nothing"])) == {"lang", "source"}


def test_a_row_whose_meta_lacks_a_key_is_told_apart(tmp_path: Path) -> None:
    rows: list[Record] = [{**POOL[0], "meta": '{"level": 3}'}, {**POOL[1], "meta": "{}"}]
    assert TrainingRows.of(messages(tmp_path, rows), None, None).columns(["level"])["level"].tolist() == ["3", "none"]
