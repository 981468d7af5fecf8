"""How surprised a model is by each response token: loss and entropy, without a batch of logits ever in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sluicegate.models.encode import Encoded, collate

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CHUNK = 4096
"""Tokens whose logits exist at once."""


@dataclass(frozen=True)
class Reading:
    """What one forward pass says about the T response tokens of B rows."""

    row: Tensor
    """(T,) the token's row, non-decreasing."""
    position: Tensor
    """(T,) its place in that row, never 0: the first token of all is predicted from nothing."""
    loss: Tensor
    """(T,) cross-entropy in nats, float32."""
    entropy: Tensor
    """(T,) of the predicted distribution, in nats, float32."""
    prompt_state: Tensor
    """(B, H) mean final hidden state of the tokens before the last response, float32."""

    def row_loss(self) -> Tensor:
        """Mean loss of each row's response tokens: (B,); NaN for a row without any."""
        n_rows = len(self.prompt_state)
        total = torch.zeros(n_rows, device=self.loss.device).index_add(0, self.row, self.loss)
        return total / torch.bincount(self.row, minlength=n_rows)


@torch.no_grad()
def read(model: PreTrainedModel, batch: Sequence[Encoded], pad_id: int) -> Reading:
    """Run the decoder once over a batch and the head over its response tokens only."""
    row, position = label_positions(batch)
    device = next(model.parameters()).device
    tensors = collate(batch, pad_id)
    ids, mask = tensors["input_ids"].to(device), tensors["attention_mask"].to(device)
    hidden = decode(model, ids, mask)  # (B, T, H)
    row, position = row.to(device), position.to(device)
    loss, entropy = token_surprise(model, hidden[row, position - 1], ids[row, position])
    return Reading(row, position, loss, entropy, _prompt_state(hidden, batch))


@torch.no_grad()
def free_loss(model: PreTrainedModel, batch: Sequence[Encoded], pad_id: int) -> Tensor:
    """The loss of the same response tokens, in the same order, with nothing before them but their header: (T,)."""
    alone = [without_prompt(e) for e in batch]
    return read(model, alone, pad_id).loss


def without_prompt(encoded: Encoded) -> Encoded:
    """Only the responses, each behind its header (or one token, where the template has no header)."""
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    for start, end in encoded.spans:
        head = encoded.ids[max(0, start - max(1, encoded.n_header)) : start]
        spans.append((len(ids) + len(head), len(ids) + len(head) + end - start))
        ids += head + encoded.ids[start:end]
    return Encoded(encoded.id, ids, spans, encoded.n_header, 0)


def label_positions(batch: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """Row and position of every response token that has a token before it: two of (T,)."""
    places = [(b, t) for b, e in enumerate(batch) for start, end in e.spans for t in range(max(1, start), end)]
    row, position = torch.tensor(places, dtype=torch.long).view(-1, 2).unbind(-1)
    return row.contiguous(), position.contiguous()


def decode(model: PreTrainedModel, ids: Tensor, mask: Tensor) -> Tensor:
    """Final hidden states, ready for the head: (B, T) to (B, T, H)."""
    decoder = getattr(model, model.base_model_prefix)
    return decoder(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state


def token_surprise(model: PreTrainedModel, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Loss and entropy of tokens (T,) predicted from states (T, H), the head's logits made a chunk at a time."""
    parts = [_surprise(model, h, t) for h, t in zip(hidden.split(CHUNK), targets.split(CHUNK), strict=True)]
    loss, entropy = zip(*parts, strict=True)
    return torch.cat(loss), torch.cat(entropy)


def _surprise(model: PreTrainedModel, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    log_p = head_logits(model, hidden).float().log_softmax(-1)  # (T, V)
    loss = -log_p.gather(-1, targets[:, None])[:, 0]
    return loss, -(log_p.exp() * log_p).sum(-1)


def head_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """The model's own logits of hidden states (..., H): scaled (Granite, Cohere) and soft-capped (Gemma) as it does."""
    logits = model.get_output_embeddings()(hidden)  # (..., V)
    config = model.config.get_text_config()
    logits = logits * getattr(config, "logit_scale", 1.0) / getattr(config, "logits_scaling", 1.0)
    cap = getattr(config, "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


def _prompt_state(hidden: Tensor, batch: Sequence[Encoded]) -> Tensor:
    """Mean state over the tokens before each row's last response (its first token where there are none): (B, H)."""
    return torch.stack([hidden[b, : max(1, e.n_prompt)].float().mean(0) for b, e in enumerate(batch)])
