"""Gates hang on a plain model and come off it again."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from sluicegate.models.gates.base import Gate, attach, attached, detach
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.gates.trash import TrashGate

IDS = torch.tensor([[5, 6, 7, 8, 9, 10]])


def gpt() -> Any:
    from sluicegate.models.gpt import GPTConfig, GPTForCausalLM

    torch.manual_seed(0)
    return GPTForCausalLM(GPTConfig(vocab_size=99, hidden_size=32, intermediate_size=64, num_attention_heads=4)).eval()


@pytest.mark.parametrize("name", ["Qwen2", "Qwen3", "Llama", "gpt"])
def test_attached_gates_leave_the_logits_bit_identical_and_come_off_again(name: str, make_model: Any) -> None:
    model = gpt() if name == "gpt" else make_model(name, 99)
    with torch.no_grad():
        before = model(IDS).logits
        attach(model, {0: SurpriseGate(32, 4, 8), 1: SurpriseGate(32, 4, 8)})
        assert torch.equal(model(IDS).logits, before)
        assert list(attached(model)) == [0, 1]
        taken = detach(model)
        taken[0].projected = None
        model(IDS)
    assert taken[0].projected is None, "the hook is gone"
    assert not attached(model)
    assert not any("quality_gate" in name for name, _ in model.named_parameters())


def test_gates_are_not_captured_by_a_lora_on_all_linear(make_model: Any) -> None:
    from peft import LoraConfig, get_peft_model

    model = make_model("Qwen2", 99)
    attach(model, {1: SurpriseGate(32, 4, 8)})
    with torch.no_grad():
        before = model(IDS).logits
    tuned = get_peft_model(model, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    assert not any("quality_gate" in n and "lora" in n for n, _ in tuned.named_parameters())
    with torch.no_grad():
        assert torch.equal(tuned(IDS).logits, before)


@pytest.mark.parametrize("gate", [SurpriseGate(32, 4, 8), LinearGate(32), TrashGate(32)], ids=lambda g: g.kind)
def test_a_frozen_gate_keeps_no_graph_and_its_model_can_be_copied(gate: Gate, make_model: Any) -> None:
    model = make_model("Qwen3", 99)
    attach(model, {1: gate.requires_grad_(False)})
    model(IDS, labels=IDS).loss.backward()
    twin = copy.deepcopy(model)
    with torch.no_grad():
        assert torch.equal(twin(IDS).logits, model(IDS).logits)
