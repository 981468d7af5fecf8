from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import Artifact
from sluicegate.reporting.contest import Contest
from sluicegate.testing import sealed


@pytest.fixture
def control(tmp_path: Path) -> Artifact:
    table = pa.table({"id": ["a", "b"], "n_prompt_tokens": [30, 30], "n_label_tokens": [20, 20]})
    return sealed(tmp_path, "scores", lambda out: pq.write_table(table, out / "scores.parquet"))


def contest(control: Artifact) -> Contest:
    return Contest("", control, control, {}, {}, {}, {}, {}, {})


def made(folder: Path, forward_tokens: int, *signals: str, **inputs: Artifact) -> Artifact:
    stats = {"forward_tokens": forward_tokens, "working_seconds": 2.0}
    recipe: dict[str, Any] = {"config": {"signals": list(signals)}}
    return sealed(folder, "scores", lambda out: stats, inputs, recipe)


def gate(folder: Path) -> Artifact:
    stats = {"forward_tokens": 400, "copy_forward_tokens": 100, "working_seconds": 8.0}
    return sealed(folder, "gate", lambda out: stats)


def test_a_cost_is_in_passes_over_all_tokens(control: Artifact, tmp_path: Path) -> None:
    assert contest(control).cost(made(tmp_path, 150, "perplexity")) == {"forward_units": 1.5, "seconds": 2.0}


def test_scores_pay_for_the_gate_they_read_and_for_its_copy_alone_where_they_read_no_more(
    control: Artifact, tmp_path: Path
) -> None:
    whole, copy = (made(tmp_path, 100, signal, gate=gate(tmp_path)) for signal in ("gate", "reference"))
    assert contest(control).cost(whole) == {"forward_units": 5.0, "seconds": 10.0}
    assert contest(control).cost(copy) == {"forward_units": 2.0, "seconds": 4.0}


def test_what_a_model_elsewhere_does_has_no_known_cost(control: Artifact, tmp_path: Path) -> None:
    assert contest(control).cost(made(tmp_path, 0, "deita"))["forward_units"] is None
    assert contest(control).cost(made(tmp_path, 100, "deita", "perplexity"))["forward_units"] is None
