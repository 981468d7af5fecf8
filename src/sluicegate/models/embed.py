"""A vector for every conversation: the mean of a model's final states over its tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from sluicegate import runtime
from sluicegate.models.encode import collate, length_batches
from sluicegate.models.load import Loaded
from sluicegate.schema import Record


@torch.no_grad()
def embed(loaded: Loaded, records: Sequence[Record], max_length: int, batch_tokens: int) -> np.ndarray:
    """(N, H) float32; the pool's own mean is taken out, as all states of a model point much the same way.

    Args:
        max_length: tokens of a row that are read.
        batch_tokens: padded tokens of a batch.
    """
    rows = loaded.encoder(max_length).encode_all(records, "rows to embed", need_labels=False)
    decoder = getattr(loaded.model, loaded.model.base_model_prefix)
    out = np.zeros((len(rows), loaded.model.config.get_text_config().hidden_size), dtype=np.float32)
    batches = length_batches([len(row.ids) for row in rows], batch_tokens=batch_tokens)
    for places in runtime.track(batches, "embedding batches"):
        batch = collate([rows[i] for i in places], loaded.tokenizer.pad_token_id)
        mask = batch["attention_mask"].to(loaded.device)[:, :, None]  # (B, T, 1)
        states = decoder(input_ids=batch["input_ids"].to(loaded.device), use_cache=False).last_hidden_state  # (B, T, H)
        out[places] = ((states.float() * mask).sum(1) / mask.sum(1)).cpu().numpy()
    return out - out.mean(axis=0)
