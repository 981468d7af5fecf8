"""What is promised of every architecture: one test a promise, whose docstring `docs/architectures.md` prints.

A promise that an architecture can keep only in part says so under the property `cell`, which the page prints too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from sluicegate.errors import ArtifactError
from sluicegate.models import adapters, surprise
from sluicegate.models.encode import collate
from sluicegate.models.gates.base import Gate, Tokens, attach, attached, detach, token_logits
from sluicegate.models.gates.files import load_gates, save_gates
from sluicegate.models.gates.surprise import N_SURPRISE
from sluicegate.models.layers import decoder_layers
from sluicegate.models.surprise import read
from sluicegate.testing import MIXTURES, Family
from tiny_architectures import gate_readings, some_gates, some_rows, tiny_architecture

every_architecture = pytest.mark.parametrize("family", get_args(Family))
every_observer = pytest.mark.parametrize("kind", ["surprise", "linear"])
"""The kinds of gates that leave the model's output alone."""
NORMED_AFTER = ("gemma2", "gemma3_text")
"""Architectures with a norm between the MLP and the residual stream."""
BLOCKS = {"hidden_size": 64, "intermediate_size": 64, "moe_intermediate_size": 64}
BLOCKS |= {"num_attention_heads": 8, "num_key_value_heads": 4}
"""Every matrix a multiple of 64, as bitsandbytes wants it on a CPU."""
ROWS = some_rows()
BATCH = collate(ROWS, pad_id=0)


def gated(family: Family, kind: str, attention: str | None = None) -> tuple[Any, dict[int, Gate]]:
    model = tiny_architecture(family, attention)
    gates = some_gates(model, kind)
    attach(model, gates)
    return model, gates


@torch.no_grad()
def logits_of(model: Any) -> Tensor:
    return model(BATCH["input_ids"], attention_mask=BATCH["attention_mask"], use_cache=False).logits


def assert_exact(model: Any, kind: str) -> None:
    """Gates put on, read and taken off change no bit of the logits and leave no name behind."""
    bare, names = logits_of(model), [name for name, _ in model.named_parameters()]
    gates = some_gates(model, kind)
    attach(model, gates)
    assert torch.equal(logits_of(model), bare)
    assert gate_readings(model, gates, ROWS).isfinite().all()
    assert torch.equal(logits_of(model), bare)
    assert detach(model) == gates
    assert torch.equal(logits_of(model), bare)
    assert [name for name, _ in model.named_parameters()] == names


@every_observer
@every_architecture
def test_attach(family: Family, kind: str) -> None:
    """Gates put on, read and taken off change no bit of the logits."""
    assert_exact(tiny_architecture(family), kind)


@every_architecture
def test_detach(family: Family, record_property: Any) -> None:
    """Gates that act on the output (`trash`, zero or noise) do so while they are on, and come off without a trace."""
    model = tiny_architecture(family)
    moved = {kind: moved_by(some_gates(model, kind), model) for kind in ("trash", "noise")}
    assert moved["noise"] > 0.01
    assert (moved["trash"] > 0.01) == (family not in NORMED_AFTER)
    if family in NORMED_AFTER:
        record_property("cell", "noise acts, zero does not: a norm after the MLP undoes any factor")


def moved_by(gates: dict[int, Gate], model: Any) -> float:
    bare = logits_of(model)
    attach(model, gates)
    moved = float((logits_of(model) - bare).abs().max())
    assert detach(model) == gates
    assert torch.equal(logits_of(model), bare)
    return moved


@every_observer
@every_architecture
def test_attention(family: Family, kind: str, record_property: Any) -> None:
    """The same under SDPA and under eager attention, and both give the same gate readings."""
    if family == "gemma2":
        with pytest.raises(ValueError, match="does not support an attention implementation"):
            tiny_architecture(family, "sdpa")
        assert_exact(tiny_architecture(family, "eager"), kind)
        return record_property("cell", "eager only: transformers has no SDPA for soft-capped attention")
    readings = []
    for attention in ("sdpa", "eager"):
        assert_exact(tiny_architecture(family, attention), kind)
        readings.append(gate_readings(*gated(family, kind, attention), ROWS))
    torch.testing.assert_close(*readings, rtol=1e-4, atol=1e-5)


@every_observer
@every_architecture
def test_save_and_reload(family: Family, kind: str, tmp_path: Path) -> None:
    """The model and its gates, written and opened again, give the same bits."""
    model, gates = gated(family, kind)
    logits, readings = logits_of(model), gate_readings(model, gates, ROWS)
    save_gates(gates, tmp_path)
    detach(model)
    model.save_pretrained(tmp_path)
    again, loaded = reloaded(tmp_path), load_gates(tmp_path)
    attach(again, loaded)
    assert torch.equal(logits_of(again), logits)
    assert torch.equal(gate_readings(again, loaded, ROWS), readings)


def reloaded(folder: Path, **options: Any) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, **options).eval()


@every_observer
@every_architecture
def test_checkpointing(family: Family, kind: str) -> None:
    """With activation checkpointing the model's and the gates' gradients and the gate readings are the same."""
    model, gates = gated(family, kind)
    plain = step(model.train(), gates)
    model.activation_checkpointing_enable()
    assert model.is_activation_checkpointing
    torch.testing.assert_close(step(model, gates), plain, rtol=1e-4, atol=1e-6)


def step(model: Any, gates: dict[int, Gate]) -> dict[str, Tensor]:
    """The gradient of every parameter under the model's loss and the gates' mean logit, and the readings."""
    model.zero_grad()
    loss = model(**BATCH, use_cache=False).loss
    row, before = (BATCH["labels"][:, 1:] >= 0).nonzero(as_tuple=True)
    z = token_logits(list(gates.values()), Tokens(row, before + 1, torch.zeros(len(row), N_SURPRISE)))
    (loss + z.mean()).backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    assert all(any(f"{n}.mlp.quality_gate" in name for name in found) for n in gates), "every gate learns"
    return found | {"readings": z.detach()}


@every_observer
@every_architecture
def test_lora(family: Family, kind: str, tmp_path: Path) -> None:
    """A LoRA on `all-linear` leaves the gates alone; trained, saved, opened and merged, all read the same."""
    model, gates = gated(family, kind)
    detach(model)
    model.save_pretrained(tmp_path / "base")
    attach(model, gates)
    bare = gate_readings(model, gates, ROWS)
    tuned = adapters.attach(model, adapters.LoraSettings(rank=4))
    assert not any("quality_gate" in name and "lora" in name for name, _ in tuned.named_parameters())
    learn(tuned)
    trained = gate_readings(tuned.get_base_model(), gates, ROWS)
    assert not torch.allclose(trained, bare, atol=1e-3), "the step must show"
    adapters.save_adapter(tuned, tmp_path / "adapter", tmp_path / "base")

    base = reloaded(tmp_path / "base")
    attach(base, gates)
    again: Any = adapters.put_on(base, tmp_path / "adapter")
    torch.testing.assert_close(gate_readings(again.get_base_model(), gates, ROWS), trained, rtol=1e-4, atol=1e-5)
    merged = again.merge_and_unload()
    assert attached(merged) == gates
    torch.testing.assert_close(gate_readings(merged, gates, ROWS), trained, rtol=1e-3, atol=1e-4)


def learn(tuned: Any) -> None:
    """Two steps, for the first only moves one of the two factors from zero."""
    optimizer = torch.optim.AdamW([p for p in tuned.parameters() if p.requires_grad], lr=0.05)
    for _ in range(2):
        tuned(**BATCH, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


@every_observer
@every_architecture
def test_nf4(family: Family, kind: str, tmp_path: Path, record_property: Any) -> None:
    """On a base in 4-bit NF4 (bitsandbytes) the gates read, and change no bit of the logits."""
    from bitsandbytes.nn import Linear4bit
    from transformers import BitsAndBytesConfig

    tiny_architecture(family, **BLOCKS).save_pretrained(tmp_path)
    base = reloaded(tmp_path, quantization_config=BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4"))
    for layer in decoder_layers(base):
        assert any(isinstance(module, Linear4bit) for module in layer.modules())
    assert_exact(base, kind)
    if family in MIXTURES:
        experts = decoder_layers(base)[0].mlp.experts
        assert all(p.is_floating_point() for p in experts.parameters())
        record_property("cell", "attention only: fused experts are no linear layers, and stay as they are")


@pytest.fixture
def mesh() -> Iterator[Any]:
    """One process that shards over itself."""
    import torch.distributed as dist

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield dist.init_device_mesh("cpu", (1,))
    dist.destroy_process_group()


@every_observer
@every_architecture
def test_fsdp2(family: Family, kind: str, mesh: Any) -> None:
    """Sharded layer by layer with `fully_shard`, gates on before or put on after: loss and gate readings stay."""
    bare = tiny_architecture(family)
    gates = some_gates(bare, kind)
    loss = loss_of(bare)
    attach(bare, gates)
    readings = gate_readings(bare, gates, ROWS)
    torch.testing.assert_close(loss_of(shard(gated(family, kind)[0], mesh)), loss, rtol=1e-5, atol=1e-5)

    sharded = shard(tiny_architecture(family), mesh)
    attach(sharded, gates)
    torch.testing.assert_close(loss_of(sharded), loss, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gate_readings(sharded, gates, ROWS), readings, rtol=1e-5, atol=1e-5)


def shard(model: Any, mesh: Any) -> Any:
    from torch.distributed.fsdp import fully_shard

    for layer in decoder_layers(model):
        fully_shard(layer, mesh=mesh)
    return fully_shard(model, mesh=mesh)


@torch.no_grad()
def loss_of(model: Any) -> Tensor:
    return model(**BATCH, use_cache=False).loss


@every_observer
@every_architecture
def test_padding(family: Family, kind: str) -> None:
    """A row in a padded batch is read as it is alone."""
    model, gates = gated(family, kind)
    alone = [gate_readings(model, gates, [row]) for row in ROWS]
    torch.testing.assert_close(gate_readings(model, gates, ROWS), torch.cat(alone, 1), rtol=1e-4, atol=1e-5)


@every_architecture
def test_chunked_loss(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss made a few tokens at a time is the model's own, its soft caps and scales included."""
    model = tiny_architecture(family)
    monkeypatch.setattr(surprise, "CHUNK", 7)
    torch.testing.assert_close(read(model, ROWS, pad_id=0).loss.mean(), loss_of(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model_type", ["opt", "mamba"])
def test_a_stack_without_mlps_is_told(model_type: str) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 99}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **sizes, word_embed_proj_dim=16))
    with pytest.raises(ArtifactError, match="no list of decoder layers with an `mlp` to gate"):
        decoder_layers(model)
