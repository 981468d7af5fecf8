"""The classic dictionary, read back with the library that defines the format."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from sluicegate.artifacts import Artifact
from sluicegate.errors import ArtifactError
from sluicegate.scoring import router_data
from sluicegate.scoring.router_data import export_router_data
from token_tables import Row, token_table

ROWS: list[Row] = [
    ("a", "gsm", [1.0, 2.0, 0.25], [[0.5, -0.5, 1.0], [3.0, 4.0, 5.0]]),
    ("b", "openai/gsm8k", [0.5], [[7.0], [8.0]]),
    ("c", "gsm", [], [[], []]),
    ("d", "gsm", [100.0, 0.0], [[-1.0, -2.0], [-3.0, -4.0]]),
]


@pytest.fixture
def scores(tmp_path: Path) -> Artifact:
    return token_table(tmp_path / "store", ROWS)


def test_every_source_is_one_dictionary(scores: Artifact, tmp_path: Path) -> None:
    made = export_router_data(scores, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "gsm_router_data.json",
        "gsm_router_data.safetensors",
        "openai%2Fgsm8k_router_data.json",
        "openai%2Fgsm8k_router_data.safetensors",
    ]
    facts = json.loads((tmp_path / "out/gsm_router_data.json").read_text())
    assert facts == made["gsm_router_data.safetensors"]
    assert facts == {
        "dataset_name": "gsm",
        "num_samples": 3,
        "max_seq_len": 3,
        "num_layers": 2,
        "sample_ids": ["a", "c", "d"],
    }


def test_tensors_are_padded_with_zeros_behind_the_lengths(scores: Artifact, tmp_path: Path) -> None:
    export_router_data(scores, tmp_path)
    found = load_file(tmp_path / "gsm_router_data.safetensors")
    assert {name: (t.dtype.name, t.shape) for name, t in found.items()} == {
        "lengths": ("int32", (3,)),
        "perplexities": ("float32", (3, 3)),
        "quality_gates": ("float16", (3, 2, 3)),
    }
    assert found["lengths"].tolist() == [3, 0, 2]
    assert found["quality_gates"].tolist() == [
        [[0.5, -0.5, 1.0], [3.0, 4.0, 5.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        [[-1.0, -2.0, 0.0], [-3.0, -4.0, 0.0]],
    ]
    np.testing.assert_allclose(found["perplexities"][0], [math.e, math.e**2, math.exp(0.25)], rtol=1e-6)
    assert found["perplexities"][1].tolist() == [0.0, 0.0, 0.0]
    assert found["perplexities"][2].tolist() == [pytest.approx(math.exp(80.0)), 1.0, 0.0], "finite, and 1 is no padding"


def test_one_row_can_be_read_without_the_rest(scores: Artifact, tmp_path: Path) -> None:
    export_router_data(scores, tmp_path)
    with safe_open(tmp_path / "openai%2Fgsm8k_router_data.safetensors", "np") as file:
        assert file.get_slice("quality_gates")[0:1].tolist() == [[[7.0], [8.0]]]


def test_a_dataset_without_one_response_token_is_empty_and_whole(tmp_path: Path) -> None:
    export_router_data(token_table(tmp_path / "store", [ROWS[2]]), tmp_path)
    found = load_file(tmp_path / "gsm_router_data.safetensors")
    assert found["quality_gates"].shape == (1, 2, 0)
    assert found["lengths"].tolist() == [0]


def test_an_export_that_dies_leaves_nothing_to_be_taken_for_one(
    scores: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(self: router_data.Tensors, row: object) -> None:
        raise KeyboardInterrupt

    export_router_data(scores, tmp_path / "out")
    monkeypatch.setattr(router_data.Tensors, "append", torn)
    with pytest.raises(KeyboardInterrupt):
        export_router_data(scores, tmp_path / "out")
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".safetensors"}, (
        "whole ones of before, no JSON, no draft"
    )


def test_scores_without_a_gate_are_refused(tmp_path: Path) -> None:
    ungated = token_table(tmp_path, ROWS, without=["gate_logits"])
    with pytest.raises(ArtifactError, match="without a gate\nhint: score with gate=ARTIFACT and detail=tokens"):
        export_router_data(ungated, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sources_never_share_a_file(tmp_path: Path) -> None:
    rows: list[Row] = [(str(n), name, [1.0], [[1.0]]) for n, name in enumerate(("a/b", "a%2Fb", "../a", "."))]
    made = export_router_data(token_table(tmp_path / "store", rows), tmp_path / "out")
    assert len({path.name for path in (tmp_path / "out").iterdir()}) == 2 * len(made) == 8
