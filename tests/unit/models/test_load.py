from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import ArtifactError, MissingError
from sluicegate.models.adapters import LoraSettings, attach, save_adapter
from sluicegate.models.load import load, load_tokenizer

Make = Callable[..., Any]


@pytest.mark.parametrize("fixture", ["tiny_qwen2", "tiny_qwen3", "tiny_llama"])
def test_opens_common_folders(fixture: str, request: pytest.FixtureRequest) -> None:
    loaded = load(request.getfixturevalue(fixture), device="cpu")
    assert not loaded.model.training
    assert loaded.device == torch.device("cpu")


def test_says_the_dtype_and_why(tiny_qwen2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(tiny_qwen2, device="cpu").dtype == torch.float32
    assert load(tiny_qwen2, device="cpu", dtype="bfloat16").dtype == torch.bfloat16
    first, second = capsys.readouterr().err.splitlines()
    assert "float32 on cpu (" in first
    assert "bfloat16 on cpu (asked for)" in second


def test_a_tokenizer_without_a_pad_token_pads_with_its_end_token(tiny_llama: Path) -> None:
    tokenizer = load_tokenizer(tiny_llama)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


def test_our_own_gpt_opens_as_any_model(tmp_path: Path, tiny_qwen2: Path) -> None:
    from sluicegate.models.gpt import GPTConfig, GPTForCausalLM

    tokenizer = load_tokenizer(tiny_qwen2)
    GPTForCausalLM(GPTConfig(vocab_size=len(tokenizer), num_hidden_layers=1)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert type(load(tmp_path, device="cpu").model).__name__ == "GPTForCausalLM"


@pytest.mark.parametrize("beside", [True, False])
def test_an_adapter_brings_its_base(tmp_path: Path, tiny_qwen2: Path, beside: bool) -> None:
    base = Path(shutil.copytree(tiny_qwen2, tmp_path / "store" / "model-base")) if beside else tiny_qwen2
    loaded = load(base, device="cpu")
    tuned = attach(loaded.model, LoraSettings(rank=2))
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    out = tmp_path / "store" / "model-tuned"
    out.mkdir(parents=True)
    save_adapter(tuned, out, base)
    loaded.tokenizer.save_pretrained(out)
    moved = (tmp_path / "store").rename(tmp_path / "elsewhere")  # a store moves as a whole
    ids = torch.arange(6)[None]
    again = load(moved / "model-tuned", device="cpu")
    assert torch.equal(again.model(ids).logits, tuned(ids).logits)
    named = json.loads((moved / "model-tuned" / "adapter_config.json").read_text())["base_model_name_or_path"]
    assert named == ("../model-base" if beside else str(tiny_qwen2))


def test_missing_things_are_named(tmp_path: Path, tiny_qwen2: Path) -> None:
    with pytest.raises(MissingError, match="no model folder"):
        load(tmp_path / "nowhere", device="cpu")
    with pytest.raises(MissingError, match=r"no config\.json"):
        load(tmp_path, device="cpu")
    bare = Path(shutil.copytree(tiny_qwen2, tmp_path / "bare"))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (bare / name).unlink(missing_ok=True)
    with pytest.raises(MissingError, match="has no tokenizer"):
        load(bare, device="cpu")
    (bare / "model.safetensors").unlink()
    with pytest.raises(MissingError, match=r"safetensors"):
        load(bare, device="cpu")


def test_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text("{}")
    with pytest.raises(ArtifactError, match="is a file"):
        load(tmp_path / "file.json", device="cpu")
    (tmp_path / "config.json").write_text('{"model_type": "no_such_model"}')
    with pytest.raises(ArtifactError, match="no_such_model"):
        load(tmp_path, device="cpu")
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ArtifactError, match="names no base"):
        load(tmp_path, device="cpu")


def test_a_hub_name_offline_says_how_to_get_it() -> None:
    with pytest.raises(MissingError) as err:
        load("nobody/nothing", device="cpu")
    assert "hf download nobody/nothing" in err.value.hint


def test_lora_trains_only_the_adapter(make_model: Make) -> None:
    tuned = attach(make_model("Llama", 300), LoraSettings(rank=2, targets=["q_proj"]))
    asked = [n for n, p in tuned.named_parameters() if p.requires_grad]
    assert asked
    assert all("q_proj.lora_" in n for n in asked)
