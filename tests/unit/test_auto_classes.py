"""The Auto classes learn of gated folders when they are imported, in any order, and of nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, Qwen3Config, Qwen3ForCausalLM

from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.quality_gate import QualityGateForCausalLM, put_gates_in
from sluicegate.testing import tiny_model


def run(code: str, *args: object) -> str:
    """What a process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tiny_model(tmp_path_factory.mktemp("models") / "base", "qwen3")
    model = AutoModelForCausalLM.from_pretrained(base)
    facts = {"kind": "surprise", "context_gain": False}
    put_gates_in(model, {1: SurpriseGate(16, 2, 4)}, facts).save_pretrained(base.parent / "gated")
    return base.parent / "gated"


OPEN = "print(type(AutoModelForCausalLM.from_pretrained(sys.argv[1])).__name__)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("imports", "opens_as"),
    [
        ("import sluicegate; from transformers import AutoModelForCausalLM", "QualityGateForCausalLM"),
        ("from transformers import AutoModelForCausalLM; import sluicegate", "QualityGateForCausalLM"),
        ("from transformers import AutoModelForCausalLM", "Qwen3ForCausalLM"),
    ],
)
def test_a_gated_folder_opens_with_its_gates_only_where_the_package_was_imported(
    imports: str, opens_as: str, folder: Path
) -> None:
    assert run(f"import sys; {imports}; {OPEN}", folder) == opens_as


@pytest.mark.slow
def test_our_own_model_type_is_known_without_another_import(tmp_path: Path) -> None:
    code = f"import sys, sluicegate; from transformers import AutoModelForCausalLM; {OPEN}"
    assert run(code, tiny_model(tmp_path, "sluice_gpt")) == "GPTForCausalLM"


@pytest.mark.slow
def test_importing_the_package_imports_nothing_heavy_nor_waits_for_ever() -> None:
    code = """
import sys, sluicegate
waiting = lambda: any(type(finder).__module__ == "sluicegate.auto_classes" for finder in sys.meta_path)
print("transformers" in sys.modules, "torch" in sys.modules, waiting())
import transformers.models.auto.modeling_auto
print(waiting())
"""
    assert run(code).split() == ["False", "False", "True", "False"]


@pytest.mark.slow
def test_transformers_is_imported_all_the_same_where_it_is_built_otherwise() -> None:
    code = """
import sys, warnings, sluicegate
import transformers.models.auto.auto_factory as factory
choose = factory._get_model_class
del factory._get_model_class
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    from transformers import AutoModelForCausalLM
print([str(w.message) for w in said if "gated" in str(w.message)])
"""
    assert "open as their plain base" in run(code)


def test_everything_else_opens_as_ever(folder: Path) -> None:
    plain = AutoModelForCausalLM.from_pretrained(folder.parent / "base")
    assert type(plain) is Qwen3ForCausalLM
    assert not isinstance(AutoModel.from_pretrained(folder), QualityGateForCausalLM)
    config = AutoConfig.from_pretrained(folder)
    assert type(config) is Qwen3Config
    fresh = Qwen3Config(vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    assert type(AutoModelForCausalLM.from_config(fresh)) is Qwen3ForCausalLM
    assert AutoModelForCausalLM._model_mapping[Qwen3Config] is Qwen3ForCausalLM


def test_others_register_their_models_as_ever() -> None:
    class OtherConfig(Qwen3Config):
        model_type = "other_of_a_test"

    class OtherForCausalLM(Qwen3ForCausalLM):
        config_class = OtherConfig

    AutoModelForCausalLM.register(OtherConfig, OtherForCausalLM)
    sizes = {"vocab_size": 9, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    made = AutoModelForCausalLM.from_config(OtherConfig(**sizes, num_attention_heads=1))
    assert type(made) is OtherForCausalLM


def test_a_pipeline_serves_a_gated_model(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    from transformers import AutoTokenizer, pipeline

    tokenizer = AutoTokenizer.from_pretrained(folder.parent / "base")
    model = AutoModelForCausalLM.from_pretrained(folder)
    made = pipeline("text-generation", model=model, tokenizer=tokenizer, device=torch.device("cpu"))
    assert made("2 + 2", max_new_tokens=2, do_sample=False)[0]["generated_text"].startswith("2 + 2")
    assert "not supported" not in caplog.text
