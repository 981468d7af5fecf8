"""How probable a model finds the gold replies: its loss over their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sluicegate import runtime
from sluicegate.schema import Record

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoded, Encoder
    from sluicegate.models.load import Loaded


def mean_loss(loaded: Loaded, encoder: Encoder, records: Sequence[Record], batch_tokens: int = 8192) -> float | None:
    """Mean cross-entropy per label token of each record's last assistant turn, in nats; None without any such token.

    Every token counts once, so long replies count more.

    Args:
        loaded: the model, with or without an adapter.
        encoder: of its tokenizer; what it cuts off does not count.
        records: conversations that end with their gold reply.
        batch_tokens: padded tokens per forward pass; it changes the speed and, but for rounding, nothing else.
    """
    from sluicegate.models.encode import length_batches
    from sluicegate.models.surprise import read

    encoded = encoder.encode_all(records, "gold replies", need_labels=False)
    rows = [row for row in map(_last_turn, encoded, records) if row.n_label]
    model, pad_id = _plain(loaded), loaded.tokenizer.pad_token_id or 0
    total, tokens = 0.0, 0
    batches = length_batches([len(row.ids) for row in rows], batch_tokens=batch_tokens)
    for places in runtime.track(batches, "loss of the gold replies"):
        loss = read(model, [rows[i] for i in places], pad_id).loss  # (T,)
        total, tokens = total + loss.double().sum().item(), tokens + len(loss)
    return total / tokens if tokens else None


def _last_turn(row: Encoded, record: Record) -> Encoded:
    """Only the last turn's labels; none if `max_length` left nothing of it."""
    turns = sum(message["role"] == "assistant" for message in record["messages"])
    return replace(row, spans=row.spans[turns - 1 :])


def _plain(loaded: Loaded) -> Any:
    """The model an adapter was put on, its layers acting already: a `PeftModel` hides where the decoder is."""
    model: Any = loaded.model
    return model.get_base_model() if hasattr(model, "peft_config") else model
