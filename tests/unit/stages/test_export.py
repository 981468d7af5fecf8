"""The folder that is given away: what is in it, for which model, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from transformers import AutoModelForCausalLM

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.config import build, result_fields
from sluicegate.errors import ArtifactError, ConfigError, MissingError
from sluicegate.models.export_gguf import CONVERTER
from sluicegate.schema import Record
from sluicegate.stages.export import Export
from sluicegate.stages.sft import Sft
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool

FILES = {
    "Modelfile", "README.md", "chat_template.jinja", "config.json", "generation_config.json", "model.safetensors",
    "tokenizer.json", "tokenizer_config.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="module")
def base(root: Path) -> Artifact:
    return external(tiny_model(root / "Base-1B", "qwen3"), "model-external-1")


@pytest.fixture(scope="module")
def data(root: Path) -> Artifact:
    write = lambda out: {"rows": write_table(out / "messages.parquet", tiny_pool(), Record)}  # noqa: E731
    return sealed(root / "store", "messages", write, None, {"stage": "prepare", "config": {"sources": []}})


@pytest.fixture(scope="module")
def tuned(root: Path, base: Artifact, data: Artifact) -> Artifact:
    """An adapter that was trained for a few steps."""
    config = build(Sft.Config, {"method": "lora", "max_steps": 2, "learning_rate": 0.05, "lora": {"rank": 4}})
    inputs = {"model": base, "data": data}
    recipe = {"stage": "sft", "config": result_fields(config)}
    return sealed(root / "store", "model", lambda out: Sft().fill(out, config, inputs), inputs, recipe)


def export(folder: Path, model: Artifact, **config: Any) -> Path:
    """The bundle."""
    folder.mkdir()
    told = Export().fill(folder, build(Export.Config, config), {"model": model})
    return folder / told["name"]


def card(bundle: Path) -> str:
    return (bundle / "README.md").read_text(encoding="utf-8")


def test_twice_gives_the_same_bytes(tuned: Artifact, tmp_path: Path) -> None:
    made = check_stage(Export, {"dtype": "bfloat16"}, {"model": tuned}, tmp_path)
    assert {f["path"] for f in made.manifest["files"]} == {f"Base-1B-sft/{name}" for name in FILES}
    assert made.stats["dtype"] == "bfloat16"
    assert made.stats["merged_distance"] < 1e-5 < made.stats["written_distance"]


def test_a_base_is_copied_with_a_card_of_its_own(base: Artifact, tmp_path: Path) -> None:
    text = card(export(tmp_path / "out", base))
    assert "# Base-1B\n\n`Base-1B`." in text
    assert "## Training" not in text
    assert "It was exported without an evaluation." in text


def test_an_adapter_alone_needs_no_weights_of_its_base(tuned: Artifact, tmp_path: Path) -> None:
    bundle = export(tmp_path / "out", tuned, form="adapter", base="tiny/base")
    names = {path.name for path in bundle.iterdir()}
    assert names == FILES - {"config.json", "model.safetensors"} | {"adapter_config.json", "adapter_model.safetensors"}
    assert ModelCard(card(bundle)).data.to_dict()["base_model"] == "tiny/base"
    assert "FROM tiny/base\nADAPTER .\n" in (bundle / "Modelfile").read_text(encoding="utf-8")


def test_without_a_control_the_card_does_not_praise_the_choice(tuned: Artifact, tmp_path: Path) -> None:
    assert "How the rows were chosen" not in card(export(tmp_path / "out", tuned)), "all rows were taken"


def test_a_checkpoint_of_a_training_is_a_model_like_others(tuned: Artifact, tmp_path: Path) -> None:
    copied = Artifact(shutil.copytree(tuned.path, tuned.path.with_name("model-copied")), tuned.manifest)
    folder = copied.path / "checkpoints" / "step-00001"
    folder.mkdir(parents=True)
    for file in list(copied.path.glob("*.*")):
        if file.name != "manifest.json":
            shutil.copy(file, folder)
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = os.path.relpath(tuned.path.parents[1] / "Base-1B", folder)
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    text = card(export(tmp_path / "out", external(folder, "model-external-2")))
    assert "`Base-1B`, tuned by sft. Taken at step-00001 of its training." in text
    shutil.rmtree(copied.path)


def test_a_model_from_scratch_says_what_its_class_needs(root: Path, data: Artifact, tmp_path: Path) -> None:
    def fill(out: Path) -> dict[str, Any]:
        tiny_model(out, "sluice_gpt")
        return {}

    made = sealed(root / "store", "model", fill, {"data": data}, {"stage": "pretrain", "config": {}})
    bundle = export(tmp_path / "out", made)
    assert "A model trained from nothing." in card(bundle)
    assert "import sluicegate" in card(bundle)
    assert "vllm" not in card(bundle)
    assert not (bundle / "Modelfile").exists()
    assert AutoModelForCausalLM.from_pretrained(bundle).config.model_type == "sluice_gpt"


def test_gguf_without_a_converter_fails_before_anything_is_loaded(
    tuned: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="not on the PATH"):
        export(tmp_path / "out", tuned, gguf=True)
    assert capsys.readouterr().err == ""


def test_gguf_is_made_by_the_converter_and_read_by_ollama(
    tuned: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / CONVERTER
    fake.write_text('#!/bin/sh\necho "$@" > "$3"\n', encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    bundle = export(tmp_path / "out", tuned, gguf=True, dtype="float16")
    told = (bundle / "model.gguf").read_text(encoding="utf-8")
    assert "--outtype f16 --model-name Base-1B-sft" in told
    assert (bundle / "Modelfile").read_text(encoding="utf-8").startswith("FROM ./model.gguf\n")
    assert "from `model.gguf`" in card(bundle)


@pytest.mark.parametrize(
    "keys",
    [{"form": "adapter", "dtype": "float16"}, {"form": "adapter", "gguf": True}, {"shard_size": "5"}, {"name": "a/b"}],
)
def test_keys_that_do_not_fit_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build(Export.Config, keys)


def test_a_control_needs_an_evaluation() -> None:
    with pytest.raises(ConfigError, match="nothing to stand beside"):
        Export().check(Export.Config(), {"model", "control"})


def test_a_whole_model_has_no_adapter_to_export(base: Artifact, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="has no adapter"):
        export(tmp_path / "out", base, form="adapter", base="a/b")
