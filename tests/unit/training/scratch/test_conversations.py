from __future__ import annotations

from typing import Any

from sluicegate.models.encode import IGNORED, Encoder
from sluicegate.testing import tiny_pool
from sluicegate.training.scratch.conversations import Conversations


def test_a_batch_is_padded_and_its_terms_are_its_label_tokens(tiny_tokenizer: Any) -> None:
    rows = Encoder(tiny_tokenizer).encode_batch(tiny_pool(10))
    data = Conversations(rows, tiny_tokenizer.pad_token_id, batch_rows=4)
    batches = [data.batch(step) for step in range(5)]
    assert sum(batch["terms"].sum().item() for batch in batches) == 2 * sum(row.n_label for row in rows)
    for batch in batches:
        assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape
        assert batch["terms"].tolist() == (batch["labels"] != IGNORED).sum(1).tolist()
        assert (batch["input_ids"][batch["attention_mask"] == 0] == tiny_tokenizer.pad_token_id).all()
    assert all(a.equal(b) for a, b in zip(data.batch(3).values(), batches[3].values(), strict=True))
