"""What a card says, and that no text of the data makes markup of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fake_lineage import FakeLineage
from fake_runs import FakeRuns
from sluicegate.artifacts import Artifact, write_json
from sluicegate.evaluation import stats
from sluicegate.models.export_check import Agreement
from sluicegate.reporting.model_card import Bundle, Usage, history_of, model_card, result_of


@pytest.fixture
def made(tmp_path: Path) -> FakeLineage:
    (tmp_path / "base").mkdir()
    return FakeLineage(tmp_path)


def bundle(model: Artifact, **more: Any) -> Bundle:
    checks = {"dtype": "bfloat16", "agreement": {"Merging": Agreement(1e-7, 0.995)}}
    told: dict[str, Any] = {"name": "Base-sft", "form": "merged", "base_name": "base", "licence": ""}
    told |= {"history": history_of(model), "result": None, "comparison": None, "checks": checks}
    return Bundle(**{**told, "usage": Usage("Base-sft", "", 0, house_class=False, gguf=False), **more})


def test_each_section_stands_once_and_in_order(made: FakeLineage) -> None:
    text = model_card(bundle(made.dpo))
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [
        "# Base-sft", "## Use", "## Base and licence", "## Data", "## How the rows were chosen", "## Evaluation",
        "## Training", "## Export", "## Lineage",
    ]  # fmt: skip
    assert "`base`, tuned by sft, then dpo." in text


def test_rows_are_told_with_their_licences(made: FakeLineage) -> None:
    text = model_card(bundle(made.sft))
    assert "`sft` learnt from 9 rows:" in text
    assert "| tiny/0 | mit | en | 5 |" in text
    assert "| tiny/1 | not stated | zh | 4 |" in text


def test_a_choice_without_a_control_is_not_praised(made: FakeLineage) -> None:
    text = model_card(bundle(made.sft))
    assert "Rule clusters by gate, fraction 0.25: 6 of 24 rows were kept" in text
    assert "No random control was given, so this card cannot say what the choice was worth." in text
    assert "It was exported without an evaluation." in text


def test_a_control_that_is_no_random_choice_is_called_so(runs: FakeRuns, made: FakeLineage) -> None:
    own = runs.evaluation("card", 0, 0.8, runs.pool)
    other = runs.evaluation("all-rows", 0, 0.4, runs.pool)
    result = result_of(own.parent("model"), own, other, stats)
    text = model_card(bundle(made.sft, result=result))
    assert "this model beats control by" in text
    assert "It is no random choice of rows." in text
    assert "Of one training each" in text


def test_settings_are_told_without_where_a_machine_keeps_files(made: FakeLineage) -> None:
    config = {"launch": {"config": "/home/me/deepspeed.json"}, "lora": {"targets": ["q_proj"]}, "schedule": "cosine"}
    model = made.make("model", "sft", lambda out: {"steps": 1200, "loss": 0.51234}, config, model=made.base)
    text = model_card(bundle(model))
    assert "| `launch.config` | deepspeed.json |" in text
    assert '| `lora.targets` | \\["q\\_proj"\\] |' in text
    assert "/home" not in text
    assert "steps 1,200, loss 0.5123" in text


def test_the_comparison_behind_it_is_quoted(made: FakeLineage) -> None:
    def fill(out: Path) -> dict[str, Any]:
        write_json(out / "summary.json", {"headline": "gate beats random by 3.0 points [1.0, 5.0]"})
        return {}

    report = made.make("report", "report", fill)
    text = model_card(bundle(made.sft, comparison=report))
    assert f"The comparison it comes from (`{report.id}`): gate beats random by 3.0 points \\[1.0, 5.0\\]." in text


def test_what_is_gone_is_told_as_gone(made: FakeLineage) -> None:
    shutil.rmtree(made.pool.path)
    shutil.rmtree(made.trusted.path)
    text = model_card(bundle(made.sft))
    assert f"| `{made.pool.id}` | not here any more |" in text
    assert "`sft` learnt from rows that are not here any more." in text


def test_names_of_sources_make_no_markup(made: FakeLineage) -> None:
    name = "a|b <img src=x> `c` [d](e)"
    made.pool.manifest["config"]["sources"][0] |= {"name": "tiny/0", "licence": name, "warning": name}
    history = history_of(made.sft)
    history.ancestors[made.pool.id] = made.pool
    text = model_card(bundle(made.sft, history=history))
    assert "<img" not in text.replace("\\<img", "")
    assert "[d](e)" not in text


def test_how_near_the_weights_are_is_told(made: FakeLineage) -> None:
    text = model_card(bundle(made.sft))
    assert "The weights are bfloat16. Merging moved the logits of a few texts by 1.0e-07 of their norm" in text
    assert "99.5% of the places" in text


def test_an_adapter_and_a_checkpoint_say_what_they_are(made: FakeLineage) -> None:
    history = replace(history_of(made.sft), checkpoint="step-00100")
    text = model_card(bundle(made.sft, form="adapter", history=history))
    assert "An adapter for it, to be put on that base. Taken at step-00100 of its training." in text
