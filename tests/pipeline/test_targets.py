"""Targets pick rows in turn: from trusted rows of two sources, over their similarities, to a selection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fake_gates import model_in
from sluicegate.artifacts import Artifact, read_rows, write_table
from sluicegate.config import build
from sluicegate.schema import Record, make_record
from sluicegate.stages.score import Score
from sluicegate.stages.select import Select
from sluicegate.testing import sealed, tiny_model


def row(question: str, reply: str, source: str) -> Record:
    chat: Any = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return make_record(chat, source, "en")


def messages(root: Path, records: list[Record]) -> Artifact:
    recipe = {"config": {"ids": [record["id"] for record in records]}}
    return sealed(
        root, "messages", lambda out: {"n": write_table(out / "messages.parquet", records, Record)}, recipe=recipe
    )


def test_trusted_sources_pick_by_rds_in_turn(tmp_path: Path) -> None:
    words = [row(f"Spell {n}.", "It is " + "so " * n, "words") for n in range(1, 13)]
    sums = [row(f"{n} + {n}?", f"{n}+{n}={2 * n}", "sums") for n in range(1, 13)]
    inputs = {
        "data": messages(tmp_path, words[:9] + sums[:9]),
        "trusted": messages(tmp_path, sums[9:] + words[9:]),
        "model": model_in(tiny_model(tmp_path / "base")),
    }

    def score(out: Path) -> dict[str, Any]:
        options = {"signals": ["rds"], "options": {"rds": {"targets": "source"}}, "shard_rows": 5}
        return Score().fill(out, build(Score.Config, options), inputs)

    scores = sealed(tmp_path, "scores", score, inputs)
    known = {r["id"]: r for r in scores.rows("scores")}
    for scored in known.values():
        assert len(scored["rds_targets"]) == 2
        assert np.float32(scored["rds"]) == max(map(np.float32, scored["rds_targets"]))
    config = build(Select.Config, {"rule": "targets", "by": "rds", "options": {"rows": 6}})
    (tmp_path / "out").mkdir()
    Select().fill(tmp_path / "out", config, {"scores": scores})
    kept = sorted((r for r in read_rows(tmp_path / "out" / "selection.parquet") if r["kept"]), key=lambda r: r["rank"])
    left = dict(known)
    for turn, decision in enumerate(kept):
        best = min(left, key=lambda one: (-left[one]["rds_targets"][turn % 2], one))
        assert decision["id"] == best
        assert decision["reason"] == f"among the 3 that target {turn % 2 + 1} of 2 took in turn by rds"
        del left[best]
    assert len(kept) == 6
