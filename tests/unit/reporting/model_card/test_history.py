"""How a model came about, from its artifact back to its base; what is gone is not guessed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fake_lineage import FakeLineage
from sluicegate.artifacts import external
from sluicegate.reporting.model_card import history_of


@pytest.fixture
def made(tmp_path: Path) -> FakeLineage:
    (tmp_path / "base").mkdir()
    return FakeLineage(tmp_path)


def test_trainings_come_first_to_last_and_begin_at_the_base(made: FakeLineage) -> None:
    found = history_of(made.dpo)
    assert [step.stage for step in found.trainings] == ["sft", "dpo"]
    assert found.base.name == "base"
    assert not found.base.scratch
    assert next(iter(found.ancestors)) == "model-external-1"
    assert [*found.ancestors][-1] == made.dpo.id
    assert len(found.ancestors) == 7


def test_the_rows_are_those_that_were_kept_and_the_trusted_ones(made: FakeLineage) -> None:
    (sft, dpo) = history_of(made.dpo).trainings
    assert sft.rows == {("tiny/0", "en"): 3 + 2, ("tiny/1", "zh"): 3 + 1}
    assert sft.rows.total() == sft.model.stats["rows"]
    assert dpo.rows.total() == 24, "all of them, without a choice"


def test_settings_are_those_that_say_something(made: FakeLineage) -> None:
    assert history_of(made.sft).trainings[0].settings == {"method": "lora", "lora.rank": 4}


def test_a_source_is_known_by_what_its_rows_are_called(made: FakeLineage) -> None:
    known = history_of(made.sft).sources
    assert {name: source.get("hub") for name, source in known.items()} == {
        "tiny/0": None, "one": None, "gsm8k": "openai/gsm8k", "b": "a/b",
    }  # fmt: skip


def test_what_is_gone_is_known_by_its_id(made: FakeLineage) -> None:
    shutil.rmtree(made.pool.path)
    found = history_of(made.sft)
    assert found.ancestors[made.pool.id] is None
    assert found.sources == {}
    assert found.trainings[0].rows.total() == 3, "of the trusted rows alone"


def test_a_checkpoint_is_known_by_the_artifact_it_lies_in(made: FakeLineage) -> None:
    folder = made.sft.path / "checkpoints" / "step-00100"
    folder.mkdir(parents=True)
    found = history_of(external(folder, "model-external-2"))
    assert (found.model.id, found.checkpoint) == (made.sft.id, "step-00100")
    assert [step.stage for step in found.trainings] == ["sft"]


def test_a_model_from_nothing_is_its_own_base(made: FakeLineage) -> None:
    scratch = made.make("model", "pretrain", lambda out: {}, data=made.pool)
    tuned = made.make("model", "sft", lambda out: {}, model=scratch, data=made.pool)
    found = history_of(tuned)
    assert found.base.scratch
    assert [step.stage for step in found.trainings] == ["sft"]


def test_gates_that_were_put_in_are_no_training(made: FakeLineage) -> None:
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
def test_the_licence_of_the_base_is_that_of_its_card(card: str | None, licence: str, made: FakeLineage) -> None:
    if card:
        (made.base.path / "README.md").write_text(card, encoding="utf-8")
    assert history_of(made.sft).base.licence == licence
