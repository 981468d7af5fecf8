"""What the hub files a model under."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from fake_lineage import FakeLineage
from fake_runs import FakeRuns
from sluicegate.evaluation import stats
from sluicegate.reporting.model_card import Bundle, Usage, history_of, result_of
from sluicegate.reporting.model_card.front_matter import front_matter


def read(tmp_path: Path, **more: Any) -> dict[str, Any]:
    """The keys that a hub reads."""
    (tmp_path / "base").mkdir(exist_ok=True)
    usage = Usage("x", "", 0, house_class=False, gguf=False)
    told: dict[str, Any] = {"name": "Base-sft", "form": "merged", "base_name": "a/b", "licence": "apache-2.0"}
    told |= {"history": history_of(FakeLineage(tmp_path).sft), "result": None, "comparison": None, "checks": {}}
    return ModelCard(front_matter(Bundle(**{**told, "usage": usage, **more})) + "\n# x").data.to_dict()


def test_it_names_base_language_and_trainings(tmp_path: Path) -> None:
    assert read(tmp_path) == {
        "base_model": "a/b", "base_model_relation": "finetune", "language": ["en", "zh"],
        "library_name": "transformers", "license": "apache-2.0", "pipeline_tag": "text-generation",
        "tags": ["sluicegate", "sft"],
    }  # fmt: skip


def test_an_adapter_is_one(tmp_path: Path) -> None:
    found = read(tmp_path, form="adapter")
    assert (found["base_model_relation"], found["library_name"]) == ("adapter", "peft")


def test_a_folder_is_no_model_of_the_hub(tmp_path: Path) -> None:
    found = read(tmp_path, base_name="base")
    assert not {"base_model", "base_model_relation"} & set(found)


@pytest.mark.parametrize(
    ("licence", "keys"),
    [
        ("mit", {"license": "mit"}),
        ("Our own terms", {"license": "other", "license_name": "Our own terms"}),
        ("", {}),
    ],
)
def test_the_licence_is_one_of_the_hubs_or_another(licence: str, keys: dict[str, str], tmp_path: Path) -> None:
    found = read(tmp_path, licence=licence)
    assert {key: value for key, value in found.items() if key.startswith("license")} == keys


def test_accuracies_by_source_are_results(runs: FakeRuns, tmp_path: Path) -> None:
    own = runs.evaluation("hub", 0, 0.5, runs.pool)
    result = result_of(own.parent("model"), own, None, stats)
    assert result is not None
    tally = {"gsm8k": {"n": 4, "graded": 4, "accuracy": 0.25}, "chat": {"n": 2, "graded": 0, "accuracy": None}}
    result.asked.__dict__["metrics"] = {"by_source": tally}
    (index,) = read(tmp_path, result=result)["model-index"]
    (found,) = index["results"]
    assert found["dataset"] == {"name": "gsm8k", "type": "openai/gsm8k"}
    assert found["metrics"] == [{"type": "accuracy", "value": 0.25}]
