"""How probable a model finds the gold replies: its loss over their tokens, row by row and overall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sluicegate import runtime
from sluicegate.schema import Record

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoded, Encoder
    from sluicegate.models.load import Loaded


class ReplyLoss(NamedTuple):
    """How improbable one gold reply is to the model."""

    loss: float | None
    """Mean cross-entropy per label token in nats; None without any such token."""
    n_label_tokens: int


def reply_losses(
    loaded: Loaded, encoder: Encoder, records: Sequence[Record], batch_tokens: int = 8192
) -> list[ReplyLoss]:
    """The loss of each record's last assistant turn, in order.

    Args:
        loaded: the model, with or without an adapter.
        encoder: of its tokenizer; what it cuts off does not count.
        records: conversations that end with their gold reply.
        batch_tokens: padded tokens per forward pass; it changes the speed and, but for rounding, nothing else.
    """
    from sluicegate.models.encode import length_batches
    from sluicegate.models.surprise import read

    encoded = encoder.encode_all(records, "gold replies", need_labels=False)
    turns = [_last_turn(row, record) for row, record in zip(encoded, records, strict=True)]
    labelled = [i for i, row in enumerate(turns) if row.n_label]
    model, pad_id = _plain(loaded), loaded.tokenizer.pad_token_id or 0
    losses = [ReplyLoss(None, 0)] * len(turns)
    batches = length_batches([len(turns[i].ids) for i in labelled], batch_tokens=batch_tokens)
    for batch in runtime.track(batches, "loss of the gold replies"):
        places = [labelled[b] for b in batch]
        reading = read(model, [turns[i] for i in places], pad_id)
        tokens = reading.row.bincount(minlength=len(places)).tolist()  # (B,)
        for i, loss, n in zip(places, reading.row_loss().tolist(), tokens, strict=True):
            losses[i] = ReplyLoss(loss if n else None, n)
    return losses


def mean_loss(losses: Sequence[ReplyLoss]) -> float | None:
    """Nats per label token over all replies; None without any. Every token counts once, so long replies count more."""
    tokens = sum(row.n_label_tokens for row in losses)
    return sum(row.loss * row.n_label_tokens for row in losses if row.loss is not None) / tokens if tokens else None


def _last_turn(row: Encoded, record: Record) -> Encoded:
    """Only the last turn's labels; none if `max_length` left nothing of it."""
    turns = sum(message["role"] == "assistant" for message in record["messages"])
    return replace(row, spans=row.spans[turns - 1 :])


def _plain(loaded: Loaded) -> Any:
    """The model an adapter was put on, its layers acting already: a `PeftModel` hides where the decoder is."""
    model: Any = loaded.model
    return model.get_base_model() if hasattr(model, "peft_config") else model
