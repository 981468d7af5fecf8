"""The loss of label tokens alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch

from sluicegate.models.encode import collate
from sluicegate.testing import Family
from sluicegate.training.passes.label_loss import LabelLoss, label_loss, reads_labels_alone
from sluicegate.training.passes.padding import pad
from sluicegate.training.sft_config import SftConfig
from tiny_architectures import some_rows, tiny_architecture


class Plain:
    """What a Trainer does, as far as it goes here."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor]) -> Any:
        labels = inputs.pop("labels")
        self.outputs = model(**inputs, use_cache=False)
        return label_loss(self.outputs, labels)


class Ours(LabelLoss, Plain):
    pass


@pytest.mark.parametrize("family", get_args(Family))
def test_it_is_the_models_own_loss_with_its_gradients(family: Family) -> None:
    model, rows = tiny_architecture(family).train(), some_rows()
    own = model(**collate(rows, pad_id=0), use_cache=False).loss
    expected = torch.autograd.grad(own, list(model.parameters()), allow_unused=True)
    trainer = Ours(model)
    found = trainer.compute_loss(model, pad(rows, pad_id=0))
    torch.testing.assert_close(found, own, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(found, list(model.parameters()), allow_unused=True), expected, strict=True
    ):
        if theirs is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert trainer.outputs.logits.shape[:2] == (1, sum(row.n_label for row in rows)), "logits of no others"
    assert model(torch.arange(1, 6)[None]).logits.shape[1] == 5, "and afterwards of all again"


def test_over_the_label_tokens_of_the_whole_step() -> None:
    logits = torch.zeros(1, 2, 8)
    labels = torch.tensor([[-100, 3, 4]])
    told = label_loss(SimpleNamespace(logits=logits), labels, torch.tensor(8))
    torch.testing.assert_close(told, 2 * torch.tensor(8.0).log() / 8)


def test_other_losses_are_left_to_the_model() -> None:
    model = tiny_architecture("mixtral")
    assert reads_labels_alone(model, SftConfig())
    assert not reads_labels_alone(model, SftConfig(compile=True))
    assert not reads_labels_alone(model, SftConfig(liger=True))
    model.config.output_router_logits = True
    assert not reads_labels_alone(model, SftConfig())
