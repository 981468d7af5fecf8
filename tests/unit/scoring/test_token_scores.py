"""Ragged columns read back row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sluicegate.errors import ArtifactError
from sluicegate.scoring.token_scores import token_scores
from token_tables import Row, token_table

ROWS: list[Row] = [
    ("a", "one", [1.0, 2.0], [[0.5, -0.5], [3.0, 4.0]]),
    ("b", "two", [], [[], []]),
    ("c", "one", [8.0], [[1.0], [2.0]]),
]


def test_every_row_has_its_tokens_by_layer(tmp_path: Path) -> None:
    found = list(token_scores(token_table(tmp_path, ROWS)))
    assert [(row.id, row.source) for row in found] == [("a", "one"), ("b", "two"), ("c", "one")]
    assert [row.nll.tolist() for row in found] == [[1.0, 2.0], [], [8.0]]
    assert [row.gates.shape for row in found] == [(2, 2), (2, 0), (2, 1)]
    assert found[0].gates.tolist() == [[0.5, -0.5], [3.0, 4.0]]
    assert found[0].gates.dtype == np.float16


def test_some_rows_are_read_by_id_from_any_batch(tmp_path: Path) -> None:
    many: list[Row] = [(f"r{n}", "one", [float(n)], [[float(-n)]]) for n in range(600)]
    found = list(token_scores(token_table(tmp_path, many), ["r599", "r2", "unknown"]))
    assert [(row.id, row.nll.tolist(), row.gates.tolist()) for row in found] == [
        ("r2", [2.0], [[-2.0]]),
        ("r599", [599.0], [[-599.0]]),
    ]


def test_scores_without_a_gate_have_no_layer(tmp_path: Path) -> None:
    [found] = token_scores(token_table(tmp_path, ROWS[:1], without=["gate_logits"]))
    assert found.gates.shape == (0, 2)


def test_scores_without_numbers_per_token_are_told_how_to_get_them(tmp_path: Path) -> None:
    plain = token_table(tmp_path, ROWS, without=["nll", "gate_logits"])
    with pytest.raises(ArtifactError, match="no numbers per token\nhint: score again with detail=tokens"):
        list(token_scores(plain))


def test_an_artifact_of_another_kind_is_refused(tmp_path: Path) -> None:
    scores = token_table(tmp_path, ROWS)
    scores.manifest["kind"] = "messages"
    with pytest.raises(ArtifactError, match="is of kind messages"):
        list(token_scores(scores))
