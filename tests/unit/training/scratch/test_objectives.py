from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from sluicegate.models.encode import IGNORED
from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training.scratch.objectives import dpo, language_model, masked_sft

IDS = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
LABELS = torch.tensor([[IGNORED, IGNORED, 6, 7], [IGNORED, 9, IGNORED, IGNORED]])


@pytest.fixture(scope="module")
def model() -> GPTForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    return GPTForCausalLM(GPTConfig(vocab_size=12, **shape)).eval()


def by_hand(model: GPTForCausalLM, ids: list[int], labelled: range) -> torch.Tensor:
    """log π of some tokens of one row."""
    logs = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return torch.stack([logs[place - 1, ids[place]] for place in labelled]).sum()


def test_the_language_model_is_what_the_model_itself_makes_of_labels(model: GPTForCausalLM) -> None:
    own = model(input_ids=IDS[:1], labels=IDS[:1]).loss * 3
    shifted = F.pad(IDS[:1, 1:], (0, 1), value=IGNORED)
    torch.testing.assert_close(language_model(model, {"input_ids": IDS[:1], "labels": shifted}), own)


def test_sft_sums_over_labels_alone_and_padding_changes_nothing(model: GPTForCausalLM) -> None:
    batch = {"input_ids": IDS, "attention_mask": MASK, "labels": LABELS}
    expected = -by_hand(model, [4, 5, 6, 7], range(2, 4)) - by_hand(model, [8, 9], range(1, 2))
    torch.testing.assert_close(masked_sft(model, batch), expected)


def test_dpo_is_the_papers_formula(model: GPTForCausalLM) -> None:
    batch = {"input_ids": IDS[None], "attention_mask": MASK[None], "labels": LABELS[None]}
    reference = torch.tensor([[-3.0, -2.5]])
    chosen = by_hand(model, [4, 5, 6, 7], range(2, 4)) + 3.0
    rejected = by_hand(model, [8, 9], range(1, 2)) + 2.5
    expected = -torch.log(torch.sigmoid(0.3 * (chosen - rejected)))
    torch.testing.assert_close(dpo(model, {**batch, "reference": reference}, beta=0.3), expected)
