"""Gates read and never touch: not one bit of what the model computes, learns or saves is another with them on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sluicegate.artifacts import file_hash
from sluicegate.models.encode import Encoded, collate
from sluicegate.models.gates.base import Gate, Tokens, attach, detach, token_logits
from sluicegate.models.gates.surprise import surprise_features
from sluicegate.models.surprise import read
from tiny_architectures import some_gates


@pytest.fixture
def gates(model: Any) -> dict[int, Gate]:
    return some_gates(model)


@pytest.fixture
def batch(rows: list[Encoded]) -> dict[str, Tensor]:
    return collate(rows, pad_id=0)


def own_logits(model: Any, batch: dict[str, Tensor]) -> Tensor:
    with torch.no_grad():
        return model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits


def test_logits_are_the_same_bits_with_gates_on_in_use_and_off(
    model: Any, batch: dict[str, Tensor], rows: list[Encoded], gates: dict[int, Gate]
) -> None:
    bare = own_logits(model, batch)
    attach(model, gates)
    assert torch.equal(own_logits(model, batch), bare)
    reading = read(model, rows, pad_id=0)
    surprise = surprise_features(reading.loss, reading.entropy, reading.row, None)
    token_logits(list(gates.values()), Tokens(reading.row, reading.position, surprise))
    assert torch.equal(own_logits(model, batch), bare)
    detach(model)
    assert torch.equal(own_logits(model, batch), bare)


def test_gradients_are_the_same_bits(model: Any, batch: dict[str, Tensor], gates: dict[int, Gate]) -> None:
    def gradients() -> dict[str, Tensor]:
        model.zero_grad()
        model(**batch).loss.backward()
        return {n: p.grad.clone() for n, p in model.named_parameters() if "quality_gate" not in n}

    bare = gradients()
    attach(model, gates)
    gated = gradients()
    assert list(gated) == list(bare)
    assert all(torch.equal(gated[name], grad) for name, grad in bare.items())
    assert all(p.grad is None for gate in gates.values() for p in gate.parameters())


def test_replies_are_the_same(model: Any, rows: list[Encoded], gates: dict[int, Gate]) -> None:
    """Token by token with a cache: the hook sees one new token at a time, and keeps out of the way."""
    prompt = torch.tensor([rows[0].ids])

    def reply() -> list[int]:
        return model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8, do_sample=False
        ).tolist()

    bare = reply()
    attach(model, gates)
    assert reply() == bare


def test_a_model_whose_gates_came_off_is_saved_in_the_bytes_it_had(
    model: Any, gates: dict[int, Gate], tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path / "before")
    attach(model, gates)
    assert detach(model) == gates
    model.save_pretrained(tmp_path / "after")
    before, after = (tmp_path / name / "model.safetensors" for name in ("before", "after"))
    assert file_hash(before) == file_hash(after)
