"""How a model came about, from its artifact back to its base; what is gone is not guessed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.reporting.model_card import history_of
from sluicegate.schema import Decision, Record
from sluicegate.testing import sealed, tiny_pool

SOURCES = [
    {"name": "tiny/0", "path": "/home/me/zero.jsonl", "licence": "mit", "warning": "", "hub": None, "preset": None},
    {"name": "", "path": "/home/me/one.jsonl", "licence": "", "hub": None, "preset": None},
    {"name": "", "path": None, "hub": "openai/gsm8k", "preset": "gsm8k"},
    {"name": "", "path": None, "hub": "a/b", "preset": None},
    {"name": "", "path": None, "hub": None, "preset": None, "world": {}},
]


class Made:
    """A base, a model tuned on a choice of rows, and one aligned after it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = external(root / "base", "model-external-1")
        self.pool = self.messages(0, 24, SOURCES)
        self.trusted = self.messages(24, 27)
        self.selection = self.make("selection", "select", self.decide, scores=None, data=self.pool)
        inputs = {"model": self.base, "data": self.pool, "selection": self.selection, "trusted": self.trusted}
        config = {"method": "lora", "lora": {"rank": 4, "rank_pattern": {}}, "max_steps": None, "name": ""}
        self.sft = self.make("model", "sft", lambda out: {"rows": 9, "loss": 1.5}, config, **inputs)
        self.dpo = self.make("model", "dpo", lambda out: {}, {"beta": 0.1}, model=self.sft, data=self.pool)

    def make(self, kind: Any, stage: str, fill: Any, config: Any = None, **inputs: Artifact | None) -> Artifact:
        known = {name: found for name, found in inputs.items() if found}
        return sealed(self.root / "store", kind, fill, known, {"stage": stage, "config": config or {}})

    def messages(self, first: int, last: int, sources: Any = ()) -> Artifact:
        rows = tiny_pool(last)[first:]
        write = lambda out: {"rows": write_table(out / "messages.parquet", rows, Record)}  # noqa: E731
        return self.make("messages", "prepare", write, {"sources": [*sources], "first": first})

    def decide(self, out: Path) -> dict[str, Any]:
        ids = [row["id"] for row in self.pool.rows("messages")]
        rows = [{"id": i, "kept": n < 6, "rank": n, "reason": ""} for n, i in enumerate(ids)]
        return {"rows": len(rows), "kept": 6, "n": write_table(out / "selection.parquet", rows, Decision)}


@pytest.fixture
def made(tmp_path: Path) -> Made:
    (tmp_path / "base").mkdir()
    return Made(tmp_path)


def test_trainings_come_first_to_last_and_begin_at_the_base(made: Made) -> None:
    found = history_of(made.dpo)
    assert [step.stage for step in found.trainings] == ["sft", "dpo"]
    assert found.base.name == "base"
    assert not found.base.scratch
    assert next(iter(found.ancestors)) == "model-external-1"
    assert [*found.ancestors][-1] == made.dpo.id
    assert len(found.ancestors) == 6


def test_the_rows_are_those_that_were_kept_and_the_trusted_ones(made: Made) -> None:
    (sft, dpo) = history_of(made.dpo).trainings
    assert sft.rows == {("tiny/0", "en"): 3 + 2, ("tiny/1", "zh"): 3 + 1}
    assert sft.rows.total() == sft.model.stats["rows"]
    assert dpo.rows.total() == 24, "all of them, without a choice"


def test_settings_are_those_that_say_something(made: Made) -> None:
    assert history_of(made.sft).trainings[0].settings == {"method": "lora", "lora.rank": 4}


def test_a_source_is_known_by_what_its_rows_are_called(made: Made) -> None:
    known = history_of(made.sft).sources
    assert {name: source.get("hub") for name, source in known.items()} == {
        "tiny/0": None, "one": None, "gsm8k": "openai/gsm8k", "b": "a/b",
    }  # fmt: skip


def test_what_is_gone_is_known_by_its_id(made: Made) -> None:
    shutil.rmtree(made.pool.path)
    found = history_of(made.sft)
    assert found.ancestors[made.pool.id] is None
    assert found.sources == {}
    assert found.trainings[0].rows.total() == 3, "of the trusted rows alone"


def test_a_checkpoint_is_known_by_the_artifact_it_lies_in(made: Made) -> None:
    folder = made.sft.path / "checkpoints" / "step-00100"
    folder.mkdir(parents=True)
    found = history_of(external(folder, "model-external-2"))
    assert (found.model.id, found.checkpoint) == (made.sft.id, "step-00100")
    assert [step.stage for step in found.trainings] == ["sft"]


def test_a_model_from_nothing_is_its_own_base(made: Made) -> None:
    scratch = made.make("model", "pretrain", lambda out: {}, data=made.pool)
    tuned = made.make("model", "sft", lambda out: {}, model=scratch, data=made.pool)
    found = history_of(tuned)
    assert found.base.scratch
    assert [step.stage for step in found.trainings] == ["sft"]


def test_gates_that_were_put_in_are_no_training(made: Made) -> None:
    gate = made.make("gate", "warmup", lambda out: {}, model=made.sft)
    converted = made.make("model", "convert", lambda out: {}, gate=gate)
    assert [step.stage for step in history_of(converted).trainings] == ["sft"]


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# Base", "apache-2.0"),
        ("# Base", ""),
        ("---\nlicense: [\n---\n", ""),
        ("---\ntags: [x]\n---\n", ""),
        (None, ""),
    ],
)
def test_the_licence_of_the_base_is_that_of_its_card(card: str | None, licence: str, made: Made) -> None:
    if card:
        (made.base.path / "README.md").write_text(card, encoding="utf-8")
    assert history_of(made.sft).base.licence == licence
