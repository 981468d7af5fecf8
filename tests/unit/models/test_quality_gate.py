"""A gated model is the plain model with something to say: in logits, on disk, and in everybody else's hands."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModel, AutoModelForCausalLM

from sluicegate.errors import ArtifactError
from sluicegate.models import adapters
from sluicegate.models.encode import IGNORED, Encoded, collate
from sluicegate.models.gates.base import Tokens, attach, detach, token_logits
from sluicegate.models.gates.files import load_gates
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.router import RouterGate
from sluicegate.models.gates.surprise import SurpriseGate, surprise_features
from sluicegate.models.gates.trash import TrashGate
from sluicegate.models.quality_gate import QualityGateForCausalLM, gated_class, put_gates_in
from sluicegate.models.surprise import free_losses, read
from sluicegate.testing import Family, tiny_model

HEADER = [7, 8]
ROWS = [
    Encoded("talk", [5, 6, *HEADER, 9, 10, 11, 12, *HEADER, 13, 14, 15], [(4, 6), (10, 13)], 2, 0),
    Encoded("short", [3, *HEADER, 20, 21], [(3, 5)], 2, 0),
    Encoded("bare", [3, 4, 20, 21, 22], [(2, 5)], 0, 0),
]
BATCH = collate(ROWS, pad_id=0)


def gates(context_gain: bool) -> dict[int, SurpriseGate]:
    torch.manual_seed(3)
    return {n: SurpriseGate(16, 4, 8 if context_gain else 4) for n in range(2)}


def converted(base: Path, out: Path, context_gain: bool = True) -> Path:
    facts = {"kind": "surprise", "context_gain": context_gain, "header_ids": HEADER}
    put_gates_in(AutoModelForCausalLM.from_pretrained(base), gates(context_gain), facts).save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base", "qwen3")


@pytest.fixture(scope="module")
def folder(base: Path) -> Path:
    """With context gain; do not write into it."""
    return converted(base, base.parent / "gated")


@pytest.fixture
def model(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder).eval()


@torch.no_grad()
def readings(model: Any, batch: dict[str, Tensor] = BATCH) -> Tensor:
    """(L, B, T), NaN replaced by 99 so that tensors can be compared."""
    return torch.stack(model(**batch, output_router_logits=True).router_logits).nan_to_num(99.0)


@pytest.mark.parametrize("family", ["qwen2", "qwen3_moe", "olmoe", "gpt2", "gpt_neox", "gemma2", "sluice_gpt"])
def test_of_every_kind_the_logits_are_the_bases_and_the_base_part_opens_plainly(family: Family, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", family)
    plain, gated = (AutoModelForCausalLM.from_pretrained(f) for f in (base, converted(base, tmp_path / "gated")))
    assert isinstance(gated, QualityGateForCausalLM)
    assert isinstance(gated, type(plain))
    with torch.no_grad():
        out = gated.eval()(**BATCH, output_router_logits=True)
        assert torch.equal(out.logits, plain.eval()(**BATCH).logits)
    assert len(out.router_logits) == 2
    headless = AutoModel.from_pretrained(tmp_path / "gated")
    assert not isinstance(headless, QualityGateForCausalLM)
    weights = (tmp_path / name / "model.safetensors" for name in ("base", "gated"))
    assert len({path.read_bytes() for path in weights}) == 1


@pytest.mark.parametrize("context_gain", [True, False])
def test_gate_logits_are_those_that_scoring_gets(context_gain: bool, base: Path, tmp_path: Path) -> None:
    plain = AutoModelForCausalLM.from_pretrained(base).eval()
    own = gates(context_gain)
    attach(plain, own)
    free = torch.cat(free_losses(plain, ROWS, 0, batch_size=3)) if context_gain else None
    reading = read(plain, ROWS, 0)
    surprise = surprise_features(reading.loss, reading.entropy, reading.row, free)
    z = token_logits(list(own.values()), Tokens(reading.row, reading.position, surprise))
    gated = AutoModelForCausalLM.from_pretrained(converted(base, tmp_path, context_gain)).eval()
    found = torch.stack(gated(**BATCH, output_router_logits=True).router_logits)  # (L, B, T)
    torch.testing.assert_close(found[:, reading.row, reading.position], z, rtol=1e-4, atol=1e-5)
    assert torch.equal(found[0].isfinite(), BATCH["labels"] != IGNORED)


def test_padding_on_the_left_changes_nothing_about_a_row(model: Any) -> None:
    ids, labels = torch.tensor([ROWS[1].ids]), torch.tensor([ROWS[1].labels])
    pad = torch.zeros(1, 4, dtype=torch.long)
    left = {
        "input_ids": torch.cat([pad, ids], 1),
        "attention_mask": torch.cat([pad, torch.ones_like(ids)], 1),
        "labels": torch.cat([pad + IGNORED, labels], 1),
        "position_ids": torch.cat([pad, torch.arange(5)[None]], 1),
    }
    padded, alone = readings(model, left), readings(model, {"input_ids": ids, "labels": labels})
    torch.testing.assert_close(padded[..., 4:], alone, rtol=1e-4, atol=1e-5)
    assert (padded[..., :4] == 99).all()


def test_without_labels_the_whole_row_but_its_first_token_is_response(model: Any) -> None:
    bare = {"input_ids": BATCH["input_ids"], "attention_mask": BATCH["attention_mask"]}
    silent = readings(model, bare) == 99
    expected = BATCH["attention_mask"] == 0
    expected[:, 0] = True
    assert torch.equal(silent, expected.expand_as(silent))


def test_a_row_without_response_has_nothing_to_say(model: Any) -> None:
    labels = BATCH["labels"].clone()
    labels[1] = IGNORED
    found = readings(model, BATCH | {"labels": labels})
    assert (found[:, 1] == 99).all()
    torch.testing.assert_close(found[:, [0, 2]], readings(model)[:, [0, 2]], rtol=1e-4, atol=1e-5)


def test_what_is_not_asked_for_does_not_come(model: Any) -> None:
    assert "router_logits" not in model(**BATCH)
    *_, last = model(**BATCH, output_router_logits=True).to_tuple()
    assert len(last) == 2


def test_a_mixture_keeps_its_own_router_loss(tmp_path: Path) -> None:
    gated = AutoModelForCausalLM.from_pretrained(
        converted(tiny_model(tmp_path / "base", "qwen3_moe"), tmp_path / "gated")
    )
    gated.config.output_router_logits = True
    out = gated(**BATCH, output_router_logits=True)
    assert out.aux_loss > 0
    assert out.router_logits[0].shape == BATCH["input_ids"].shape


@pytest.mark.parametrize(
    ("extra", "said"),
    [({"logits_to_keep": 1}, "leave logits_to_keep out"), ({"attention_mask": torch.ones(3, 20)}, "of whole rows")],
)
def test_what_cannot_be_read_is_refused(extra: dict[str, Any], said: str, model: Any) -> None:
    with pytest.raises(ValueError, match=said):
        model(**{"input_ids": BATCH["input_ids"]} | extra, output_router_logits=True)


def test_what_it_saved_opens_as_it_was(model: Any, folder: Path, tmp_path: Path) -> None:
    before = readings(model)
    model.save_pretrained(tmp_path)
    assert readings(model).equal(before), "saving takes nothing off"
    assert readings(AutoModelForCausalLM.from_pretrained(tmp_path).eval()).equal(before)
    for name in ("config.json", "model.safetensors", "gate.safetensors", "gate.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_state_given_to_save_is_what_is_saved_without_the_gates(model: Any, tmp_path: Path) -> None:
    """As the Trainer saves."""
    state = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    model.save_pretrained(tmp_path, state_dict=state)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert torch.equal(again.model.norm.weight, model.model.norm.weight + 1)
    assert load_gates(tmp_path)[0].now.equal(model.model.layers[0].mlp.quality_gate.now)


def test_a_copy_is_another_model(model: Any) -> None:
    readings(model)
    model(**BATCH, output_router_logits=True).loss.backward()
    twin = copy.deepcopy(model)
    before = readings(model)
    assert readings(twin).equal(before)
    with torch.no_grad():
        twin.model.layers[0].mlp.quality_gate.out.zero_()
    assert readings(model).equal(before)
    assert not readings(twin)[0].equal(before[0])


def test_replies_are_the_bases(model: Any, base: Path) -> None:
    prompt = BATCH["input_ids"][:1, :6]
    plain = AutoModelForCausalLM.from_pretrained(base).eval()
    asked = {"max_new_tokens": 6, "do_sample": False, "attention_mask": torch.ones_like(prompt)}
    assert torch.equal(model.generate(prompt, **asked), plain.generate(prompt, **asked))


def test_another_dtype_goes_through_to_the_gates(model: Any, tmp_path: Path) -> None:
    exact = readings(model)
    half = model.to(torch.bfloat16)
    assert half.model.layers[0].mlp.quality_gate.now.dtype == torch.bfloat16
    torch.testing.assert_close(readings(half).float(), exact, rtol=0.1, atol=0.1)
    half.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert all(torch.equal(p, q) for p, q in zip(again.parameters(), half.parameters(), strict=True))
    torch.testing.assert_close(readings(again).float(), readings(half).float(), rtol=0.05, atol=0.05)


def test_it_opens_in_the_dtype_asked_for_with_what_loading_has_to_tell(folder: Path) -> None:
    model, told = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, output_loading_info=True)
    assert model.dtype == torch.bfloat16
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    assert readings(model.eval()).isfinite().all()


def test_gates_come_off_and_leave_a_plain_model(model: Any, base: Path, tmp_path: Path) -> None:
    detach(model)
    with pytest.raises(ArtifactError, match="taken off"):
        model(**BATCH, output_router_logits=True)
    model.save_pretrained(tmp_path)
    assert type(AutoModelForCausalLM.from_pretrained(tmp_path)) is type(AutoModelForCausalLM.from_pretrained(base))
    assert not (tmp_path / "gate.safetensors").exists()
    assert (tmp_path / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()


@pytest.mark.parametrize("family", ["qwen3", "qwen3_moe"])
def test_an_adapter_learns_beside_the_gates_and_merges(family: Family, tmp_path: Path) -> None:
    folder = converted(tiny_model(tmp_path / "base", family), tmp_path / "gated")
    tuned = adapters.attach(AutoModelForCausalLM.from_pretrained(folder), adapters.LoraSettings(rank=2))
    learning = {name: p for name, p in tuned.named_parameters() if p.requires_grad}
    assert not [name for name in learning if "quality_gate" in name]
    for parameter in learning.values():
        torch.nn.init.normal_(parameter, std=0.1)
    before = readings(tuned.eval())
    merged = tuned.merge_and_unload()
    torch.testing.assert_close(readings(merged), before, rtol=1e-3, atol=1e-4)
    merged.save_pretrained(tmp_path / "merged")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    torch.testing.assert_close(readings(again), readings(merged))


def test_trainer_trains_the_model_shifts_its_labels_and_saves_the_gates(folder: Path, tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    def loss(source: Path) -> float:
        rows = [{"input_ids": row.ids, "labels": row.labels} for row in ROWS[:1]] * 2
        asked = TrainingArguments(
            str(tmp_path / source.name), use_cpu=True, max_steps=1, report_to=[], label_smoothing_factor=0.1
        )
        trainer = Trainer(AutoModelForCausalLM.from_pretrained(source), asked, train_dataset=rows)
        told = trainer.train().training_loss
        trainer.save_model()
        return told

    assert loss(folder) == pytest.approx(loss(folder.parent / "base"))
    trained = AutoModelForCausalLM.from_pretrained(tmp_path / folder.name)
    assert isinstance(trained, QualityGateForCausalLM)
    assert load_gates(tmp_path / folder.name)[1].out.equal(load_gates(folder)[1].out)


def test_a_folder_that_lost_its_gates_is_not_opened_as_if_it_had_them(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(OSError, match=r"gate\.safetensors"):
        AutoModelForCausalLM.from_pretrained(tmp_path)


def test_the_class_is_made_once_and_says_where_it_is_from(model: Any) -> None:
    assert gated_class(type(model).plain) is type(model)
    assert json.loads(model.config.to_json_string())["model_type"] == "qwen3"
    assert type(model).__name__ == "QualityGateForCausalLM"


@pytest.mark.parametrize("kind", [LinearGate, TrashGate, RouterGate])
def test_of_every_kind_of_gate_what_is_saved_is_the_plain_model(kind: Any, tmp_path: Path) -> None:
    """Gates that act make other logits of it, before and after it was saved."""
    base = tiny_model(tmp_path / "base", "qwen3_moe")
    plain = AutoModelForCausalLM.from_pretrained(base).eval()
    torch.manual_seed(0)
    own = {n: kind(torch.randn(4, 16) if kind is RouterGate else 16) for n in range(2)}
    facts = {"kind": kind.kind, "context_gain": False}
    with torch.no_grad():
        bare = plain(**BATCH).logits
        gated = put_gates_in(plain, own, facts)
        logits, said = gated(**BATCH).logits, readings(gated)
        gated.save_pretrained(tmp_path / "gated")
        again = AutoModelForCausalLM.from_pretrained(tmp_path / "gated").eval()
        assert torch.equal(again(**BATCH).logits, logits)
    assert torch.equal(bare, logits) is not kind.acts
    assert readings(again).equal(said)
    weights = (tmp_path / name / "model.safetensors" for name in ("base", "gated"))
    assert len({path.read_bytes() for path in weights}) == 1
