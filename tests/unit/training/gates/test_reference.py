"""The tuned copy: a batch taken in parts has the gradient of the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sluicegate.models.encode import Encoder
from sluicegate.testing import tiny_pool
from sluicegate.training.gates.reference import add_gradient, mean_loss


@pytest.mark.parametrize("batch_tokens", [1, 150, 400])
def test_parts_of_a_batch_give_the_gradient_of_the_whole(
    batch_tokens: int, make_model: Any, make_tokenizer: Any
) -> None:
    tokenizer = make_tokenizer()
    model = make_model("Qwen3", len(tokenizer)).double()
    rows = Encoder(tokenizer).encode_batch(tiny_pool(7))
    assert len({e.n_label for e in rows}) > 1, "a mean of parts' means would be another"

    def gradient(most: int) -> torch.Tensor:
        model.zero_grad()
        add_gradient(model, rows, tokenizer.pad_token_id, most)
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    torch.testing.assert_close(gradient(batch_tokens), gradient(10**6), rtol=1e-9, atol=1e-12)


def test_the_loss_of_rows_does_not_depend_on_how_many_are_read_at_once(make_model: Any, make_tokenizer: Any) -> None:
    tokenizer = make_tokenizer()
    model, rows = make_model("Qwen3", len(tokenizer)), Encoder(tokenizer).encode_batch(tiny_pool(9))
    one, all_at_once = (mean_loss(model, rows, tokenizer.pad_token_id, most) for most in (1, 10**6))
    assert one == pytest.approx(all_at_once, rel=1e-5)
