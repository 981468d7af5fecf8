"""What is written says what the model said, and nothing of the machine it was written on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sluicegate.artifacts import write_json
from sluicegate.errors import ArtifactError, CheckFailed, ConfigError
from sluicegate.models.adapters import SETTINGS, LoraSettings, attach, save_adapter
from sluicegate.models.encode import DEFAULT_TEMPLATE
from sluicegate.models.export import Exported, Tolerances, export_adapter, export_merged
from sluicegate.models.gates.base import attached
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.gates.trash import TrashGate
from sluicegate.models.load import load
from sluicegate.models.quality_gate import put_gates_in
from sluicegate.testing import Family, tiny_config, tiny_model

IDS = torch.tensor([[5, 9, 40, 41, 42, 200]])
EXACT = Tolerances(1e-5, 1e-5)
LOOSE = Tolerances(1e-5, 0.05)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base", "qwen3")


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    return model.eval()(IDS).logits


def adapter(base: Path, folder: Path, **settings: Any) -> Path:
    """An adapter that does something: fresh ones add 0."""
    loaded = load(base, device="cpu", dtype="float32")
    model = attach(loaded.model, LoraSettings(rank=4, **settings))
    random = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2, generator=random)
    save_adapter(model, folder, base)
    loaded.tokenizer.save_pretrained(folder)
    return folder


def merged(source: Path, out: Path, tolerances: Tolerances = EXACT, **options: Any) -> Exported:
    settings: dict[str, Any] = {"dtype": "auto", "keep_gates": False, "shard_size": "5GB"} | options
    out.mkdir()
    return export_merged(source, out, tolerances=tolerances, **settings)


@pytest.mark.parametrize("family", ["qwen3", "llama", "gpt2", "gemma2", "mixtral", "phi3"])
def test_a_merged_model_says_what_the_adapter_says(family: Family, tmp_path: Path) -> None:
    source = adapter(tiny_model(tmp_path / "base", family), tmp_path / "adapter")
    made = merged(source, tmp_path / "out")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    expected = logits(load(source, device="cpu").model)
    torch.testing.assert_close(logits(plain), expected, rtol=1e-4, atol=1e-5)
    assert (logits(plain) - logits(AutoModelForCausalLM.from_pretrained(tmp_path / "base"))).abs().max() > 0.01
    assert made.merged is not None
    assert made.merged.distance < 1e-5
    assert made.dtype == "float32"


def test_merging_happens_in_float32_and_the_cast_comes_after(base: Path, tmp_path: Path) -> None:
    """In bfloat16 from the start, what the adapter adds would be rounded twice."""
    half = tmp_path / "half"
    load(base, device="cpu", dtype="bfloat16").model.save_pretrained(half)
    load(base, device="cpu").tokenizer.save_pretrained(half)
    source = adapter(half, tmp_path / "adapter")
    made = merged(source, tmp_path / "out", LOOSE)
    assert made.dtype == "bfloat16", "as the base is saved"
    exact: Any = load(source, device="cpu", dtype="float32").model
    expected = {name: p.to(torch.bfloat16) for name, p in exact.merge_and_unload().named_parameters()}
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert all(torch.equal(p, expected[name]) for name, p in found.named_parameters())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_the_dtype_asked_for_is_written(dtype: str, base: Path, tmp_path: Path) -> None:
    made = merged(base, tmp_path / "out", LOOSE, dtype=dtype)
    found = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    assert found.dtype == getattr(torch, dtype)
    assert made.merged is None, "there was nothing to merge"
    assert made.written is not None
    assert (made.written.distance == 0) == (dtype == "float32")


def test_a_whole_model_keeps_its_bytes(base: Path, tmp_path: Path) -> None:
    merged(base, tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()


def test_a_merge_that_says_something_else_fails(base: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="merging the adapter changed the logits"):
        merged(adapter(base, tmp_path / "adapter"), tmp_path / "out", Tolerances(1e-12, 1))


def test_a_cast_that_says_something_else_fails(base: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="writing the model in bfloat16 changed the logits"):
        merged(base, tmp_path / "out", EXACT, dtype="bfloat16")


def test_weights_that_a_file_lost_are_noticed(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import Qwen3ForCausalLM

    save = Qwen3ForCausalLM.save_pretrained

    def forgetful(self: Any, *args: Any, **kwargs: Any) -> None:
        torch.nn.init.zeros_(self.lm_head.weight)
        save(self, *args, **kwargs)

    monkeypatch.setattr(Qwen3ForCausalLM, "save_pretrained", forgetful)
    with pytest.raises(CheckFailed, match="writing the model in float32 changed the logits by 1 of"):
        merged(base, tmp_path / "out")


@pytest.mark.parametrize("tied", [True, False])
def test_a_tied_head_stays_tied(tied: bool, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "base", "qwen3")
    config = tiny_config("qwen3", vocab_size=258, tie_word_embeddings=tied, eos_token_id=1, pad_token_id=0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    merged(adapter(folder, tmp_path / "adapter"), tmp_path / "out", LOOSE, dtype="bfloat16")
    found: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert (found.lm_head.weight is found.model.embed_tokens.weight) == tied


def test_an_adapter_of_a_base_in_4_bits_merges_into_the_base_as_it_is_saved(base: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    from transformers import BitsAndBytesConfig

    four_bits = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)
    quantised = AutoModelForCausalLM.from_pretrained(base, quantization_config=four_bits, device_map="cpu")
    model = attach(quantised, LoraSettings(rank=4))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    save_adapter(model, tmp_path / "adapter", base)
    load(base, device="cpu").tokenizer.save_pretrained(tmp_path / "adapter")
    merged(tmp_path / "adapter", tmp_path / "out", Tolerances(1e-4, 1e-4))
    settings = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert "quantization_config" not in settings
    weight = "model.layers.0.self_attn.o_proj.weight"
    before, after = (
        dict(AutoModelForCausalLM.from_pretrained(p).named_parameters())[weight] for p in (base, tmp_path / "out")
    )
    parts = dict(model.named_parameters())
    a, b = (parts[f"base_model.model.model.layers.0.self_attn.o_proj.lora_{x}.default.weight"] for x in "AB")
    torch.testing.assert_close(after, before + 8 * b @ a, rtol=1e-5, atol=1e-6)


def test_shards_are_no_larger_than_asked(base: Path, tmp_path: Path) -> None:
    merged(base, tmp_path / "out", shard_size="20KB")
    shards = sorted((tmp_path / "out").glob("*.safetensors"))
    assert len(shards) > 1
    assert max(path.stat().st_size for path in shards) < 25_000
    assert torch.equal(
        *(logits(AutoModelForCausalLM.from_pretrained(path, dtype="float32")) for path in (base, tmp_path / "out"))
    )


# Gates --------------------------------------------------------------------------------------------------------------


def gated(base: Path, folder: Path, gate: Any) -> Path:
    loaded = load(base, device="cpu", dtype="float32")
    model = put_gates_in(loaded.model, {0: gate}, {"context_gain": False, "kind": gate.kind})
    model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


def acting() -> TrashGate:
    torch.manual_seed(0)
    return TrashGate(16)


def watching() -> SurpriseGate:
    torch.manual_seed(0)
    return SurpriseGate(16, 4, 4)


@pytest.mark.parametrize("keep", [False, True])
def test_gates_come_off_or_stay(keep: bool, base: Path, tmp_path: Path) -> None:
    source = gated(base, tmp_path / "gated", watching())
    merged(source, tmp_path / "out", LOOSE, keep_gates=keep, dtype="bfloat16")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert ({"gate.safetensors", "gate.json"} <= names) == keep
    found: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="float32")
    assert hasattr(found, "gate_facts") == keep
    assert type(found).__name__ == ("QualityGateForCausalLM" if keep else "Qwen3ForCausalLM")
    if keep:
        assert next(attached(found)[0].parameters()).dtype == torch.float32, "gates are not cast"


def test_an_adapter_on_a_gated_base_is_merged_with_the_gates_kept(base: Path, tmp_path: Path) -> None:
    source = adapter(gated(base, tmp_path / "gated", watching()), tmp_path / "adapter")
    merged(source, tmp_path / "out", keep_gates=True)
    found: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert attached(found)
    torch.testing.assert_close(logits(found), logits(load(source, device="cpu").model), rtol=1e-4, atol=1e-5)


# What is refused ----------------------------------------------------------------------------------------------------


def test_pickled_weights_are_refused(base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "old")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ArtifactError, match=r"old holds pytorch_model\.bin, which is not safetensors"):
        merged(folder, tmp_path / "out")
    pickled = adapter(base, tmp_path / "adapter")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    with pytest.raises(ArtifactError, match=r"adapter holds adapter_model\.bin, which is not safetensors"):
        export_adapter(pickled, tmp_path / "out", "a/b")


def test_a_quantised_base_is_refused(base: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(base, tmp_path / "eight")
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "config.json", settings | {"quantization_config": {"quant_method": "fp8"}})
    with pytest.raises(ArtifactError, match="eight is quantised"):
        merged(folder, tmp_path / "out")


# The adapter alone --------------------------------------------------------------------------------------------------


def test_an_adapter_goes_as_it_is_with_its_base_by_name(base: Path, tmp_path: Path) -> None:
    source = adapter(base, tmp_path / "adapter")
    out = tmp_path / "out"
    out.mkdir()
    made = export_adapter(source, out, "tiny/base")
    assert (out / "adapter_model.safetensors").read_bytes() == (source / "adapter_model.safetensors").read_bytes()
    assert json.loads((out / SETTINGS).read_text(encoding="utf-8"))["base_model_name_or_path"] == "tiny/base"
    assert made.parameters == sum(p.numel() for n, p in load(source).model.named_parameters() if "lora_" in n)


def test_the_snapshot_an_adapter_stands_on_is_named_with_its_commit(base: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--Tiny--Base-1B" / "snapshots" / "0123abc"
    source = adapter(Path(shutil.copytree(base, snapshot)), tmp_path / "adapter")
    (tmp_path / "out").mkdir()
    export_adapter(source, tmp_path / "out", "")
    settings = json.loads((tmp_path / "out" / SETTINGS).read_text(encoding="utf-8"))
    assert (settings["base_model_name_or_path"], settings["revision"]) == ("Tiny/Base-1B", "0123abc")


def test_an_adapter_whose_base_nobody_else_has_is_refused(base: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ConfigError, match=r"base base is a folder of this machine\nhint: .*base=OWNER/NAME"):
        export_adapter(adapter(base, tmp_path / "adapter"), tmp_path / "out", "")
    with pytest.raises(ArtifactError, match="base is a whole model and has no adapter"):
        export_adapter(base, tmp_path / "out", "")


# Beside the weights -------------------------------------------------------------------------------------------------


def test_the_template_it_was_tuned_with_goes_along(base: Path, tmp_path: Path) -> None:
    merged(base, tmp_path / "out")
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == DEFAULT_TEMPLATE


def test_it_stops_where_its_template_ends_a_turn(tiny_qwen2: Path, tmp_path: Path) -> None:
    """The model's own end token is another than the one that its chat template writes."""
    merged(tiny_qwen2, tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    model: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") in model.generation_config.eos_token_id


def test_no_file_knows_the_machine(base: Path, tmp_path: Path) -> None:
    merged(adapter(base, tmp_path / "adapter"), tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        found = path.read_bytes()
        assert str(tmp_path).encode() not in found, path.name
        assert str(base).encode() not in found, path.name
        assert b"is_local" not in found, path.name


@pytest.mark.parametrize("acts", [True, False])
def test_gates_that_act_are_missed(acts: bool, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gate = acting() if acts else watching()
    merged(gated(base, tmp_path / "gated", gate), tmp_path / "out")
    assert ("took part in every pass" in capsys.readouterr().err) == acts
