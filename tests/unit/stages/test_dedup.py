"""Copies in meaning: told by a model's states, and every row accounted for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.models.embed import embed
from sluicegate.models.load import load_plain
from sluicegate.schema import Message, Record, make_record
from sluicegate.stages.dedup import Dedup
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool


def chat(asked: str, said: str) -> Record:
    turns = [Message(role="user", content=asked), Message(role="assistant", content=said)]
    return make_record(turns, "s", "en")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tiny_model(tmp_path_factory.mktemp("dedup") / "model")
    return external(folder, "model-external-tiny")


def data(folder: Path, rows: list[Record]) -> Artifact:
    return sealed(folder, "messages", lambda out: {"rows": write_table(out / "messages.parquet", rows, Record)})


def test_a_rows_vector_is_its_own_whatever_it_is_padded_to(model: Artifact) -> None:
    rows = [*tiny_pool(6), chat("A question that is much longer than all of the others are", "yes " * 20)]
    loaded = load_plain(model.path)
    together, alone = (embed(loaded, rows, 256, batch_tokens) for batch_tokens in (4096, 1))
    assert together.shape == (7, 16)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.mean(0), 0, atol=1e-6)


def test_rows_alike_are_left_out_and_told(model: Artifact, tmp_path: Path) -> None:
    pool = tiny_pool(12)
    again = chat("What is 1 plus 2?", "The answer is 3 !")
    inputs = {"data": data(tmp_path, [*pool, again, pool[0]]), "model": model}
    made = check_stage(Dedup, {"threshold": 0.9999}, inputs, tmp_path / "made")
    kept, dropped = list(made.rows("messages")), list(made.rows("dropped"))
    assert len(kept) + len(dropped) == made.stats["read"] == 14
    assert kept[0] == pool[0]
    assert dropped[-1] == {
        "source": "tiny/0",
        "line": 14,
        "reason": f"same meaning: 1.00 alike, of {pool[0]['id']}",
        "text": pool[0]["messages"][-1]["content"],
    }
    strict = check_stage(Dedup, {"threshold": 1e-6}, inputs, tmp_path / "strict")
    assert strict.stats["rows"] < made.stats["rows"]
