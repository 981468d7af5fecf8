from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from graded_runs import evaluation
from sluicegate.artifacts import Artifact, write_arrow
from sluicegate.config import build
from sluicegate.errors import ArtifactError, DataError
from sluicegate.stages.regrade import Regrade
from sluicegate.testing import check_stage

REPLIES: dict[str, tuple[str | None, str | None]] = {
    "a": ("#### 4", "4"),
    "b": ("#### 4.0", "4"),
    "c": ("#### 5", "4"),
    "d": (None, None),
}


def regrade(before: Artifact, out: Path, **config: Any) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """The stats, the metrics and the predictions."""
    out.mkdir()
    stats = Regrade().fill(out, build(Regrade.Config, config), {"evaluation": before})
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return stats, metrics, pq.read_table(out / "predictions.parquet").to_pylist()


def test_the_contract_and_that_the_same_grader_changes_nothing(tmp_path: Path) -> None:
    before = evaluation(tmp_path, REPLIES)
    made = check_stage(Regrade, {}, {"evaluation": before}, tmp_path / "made")
    assert made.stats == {"n": 4, "accuracy": pytest.approx(2 / 3, abs=1e-6), "loss": 1.5, "changed": 0}
    assert list(made.rows("predictions")) == list(before.rows("predictions"))
    assert (made.path / "metrics.json").read_bytes() == (before.path / "metrics.json").read_bytes()


def test_another_verdict_counts(tmp_path: Path) -> None:
    stats, metrics, rows = regrade(evaluation(tmp_path, REPLIES), tmp_path / "out", grading={"counts": "strict"})
    assert stats["changed"] == 1
    assert metrics["errors"] == {"wrong form": 1, "wrong value": 1}
    assert [row["correct"] for row in rows] == [True, False, False, None]


def test_a_review_counts_more_than_the_grader(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id,verdict\na,\nc,right\n", encoding="utf-8")
    stats, _, rows = regrade(evaluation(tmp_path, REPLIES), tmp_path / "out", review=str(sheet))
    assert (stats["accuracy"], stats["changed"]) == (1.0, 1)
    assert [row["reviewed"] for row in rows] == [False, False, True, False]


def test_a_changed_review_is_another_artifact(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    config = build(Regrade.Config, {"review": str(sheet)})
    with pytest.raises(DataError, match="no review"):
        Regrade().pins(config)
    pins = []
    for verdict in ("right", "wrong"):
        sheet.write_text(f"id,verdict\na,{verdict}\n", encoding="utf-8")
        pins.append(Regrade().pins(config))
    assert pins[0] != pins[1]
    assert Regrade().pins(build(Regrade.Config, {})) == {}


def test_an_evaluation_that_kept_less_cannot_be_graded_again(tmp_path: Path) -> None:
    before = evaluation(tmp_path, REPLIES)
    path = before.path / "predictions.parquet"
    table = pq.read_table(path).drop_columns(["truncated"])
    write_arrow(path, table.to_pylist(), table.schema)
    with pytest.raises(ArtifactError, match="predictions without 'truncated'"):
        regrade(before, tmp_path / "out")
