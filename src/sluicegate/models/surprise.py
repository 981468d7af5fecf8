"""How surprised a model is by each response token: loss and entropy, without a batch of logits ever in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.errors import ArtifactError
from sluicegate.models.encode import IGNORED, Encoded, collate, length_batches

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CHUNK, GPU_CHUNK = 128, 512
"""Tokens whose logits exist at once. A CPU takes longer over more, for they leave its caches and the allocator's pool;
a GPU takes longer over fewer, and 512 are 300 MB in float32 at a vocabulary of 150,000.
"""

HEAD_TOLERANCE = 0.02
"""Of the largest logit; bfloat16 rounds to a fifth of it, and no model scales its logits by so little."""


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
    row, position, target, hidden = _decoded(model, batch, pad_id)
    parts = [loss_and_entropy(*chunk) for chunk in _logits(model, hidden[row, position - 1], target)]
    loss, entropy = (torch.cat(part) for part in zip(*parts, strict=True))
    return Reading(row, position, loss, entropy, _prompt_state(hidden, batch))


@torch.no_grad()
def free_losses(
    model: PreTrainedModel,
    rows: Sequence[Encoded],
    pad_id: int,
    *,
    batch_size: int | None = None,
    batch_tokens: int | None = None,
) -> list[Tensor]:
    """For each row the loss of its response tokens with nothing before them but their header: (T,) each.

    Responses are put into batches of like length of their own: beside equally long rows they would be mostly padding.
    """
    alone, found = [without_prompt(e) for e in rows], [torch.empty(0)] * len(rows)
    for places in length_batches([len(e.ids) for e in alone], batch_size=batch_size, batch_tokens=batch_tokens):
        row, position, target, hidden = _decoded(model, [alone[i] for i in places], pad_id)
        chunks = _logits(model, hidden[row, position - 1], target)
        losses = torch.cat([F.cross_entropy(*chunk, reduction="none") for chunk in chunks])
        for i, own in zip(places, losses.split([alone[i].n_label for i in places]), strict=True):
            found[i] = own
    return found


def without_prompt(encoded: Encoded) -> Encoded:
    """Only the responses, each behind its header (or one token, where the template has no header)."""
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    for start, end in encoded.spans:
        head = encoded.ids[max(0, start - max(1, encoded.n_header)) : start]
        spans.append((len(ids) + len(head), len(ids) + len(head) + end - start))
        ids += head + encoded.ids[start:end]
    return Encoded(encoded.id, ids, spans, encoded.n_header, 0)


def _decoded(model: PreTrainedModel, batch: Sequence[Encoded], pad_id: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Row, position and id (T,) of every response token that has one before it, and all final states (B, T, H)."""
    tensors = collate(batch, pad_id)
    device = next(model.parameters()).device
    row, before = (tensors["labels"][:, 1:] != IGNORED).nonzero(as_tuple=True)
    ids, row, position = tensors["input_ids"].to(device), row.to(device), before.to(device) + 1
    return row, position, ids[row, position], _final_states(model, ids)


def _final_states(model: PreTrainedModel, ids: Tensor) -> Tensor:
    """What the head gets of right-padded ids (B, T): (B, T, H).

    No attention mask: padding comes after all real tokens, which never look ahead, and without a mask attention takes
    its fast, plainly causal path.
    """
    decoder = getattr(model, model.base_model_prefix)
    return decoder(input_ids=ids, use_cache=False).last_hidden_state


def _logits(model: PreTrainedModel, hidden: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The logits (t, V) of states (T, H), a chunk of tokens at a time, each with its part of the targets (T,)."""
    size = CHUNK if hidden.device.type == "cpu" else GPU_CHUNK
    for states, target in zip(hidden.split(size), targets.split(size), strict=True):
        yield head_logits(model, states).float(), target


def loss_and_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of targets (T,) under logits (T, V) in float32, and the entropy of those: (T,) each, in nats."""
    log_p = logits.log_softmax(-1)  # (T, V)
    return -log_p.gather(-1, targets[:, None])[:, 0], -log_p.exp().mul_(log_p).sum(-1)


def head_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """The model's own logits of hidden states (..., H): scaled (Cohere, Granite) and soft-capped (Gemma) as it does."""
    logits = model.get_output_embeddings()(hidden)  # (..., V)
    config = model.config.get_text_config()
    if scale := getattr(config, "logit_scale", None):
        logits = logits * scale
    if scale := getattr(config, "logits_scaling", None):
        logits = logits / scale
    cap = getattr(config, "final_logit_softcapping", None)
    return logits if cap is None else cap * torch.tanh(logits / cap)


@torch.no_grad()
def check_head(model: PreTrainedModel) -> None:
    """Hold `head_logits` to the model's own logits on a few tokens; for a model that is opened to be read.

    Raises:
        ArtifactError: they differ, so its losses would be wrong: it scales them in a way not known here.
    """
    head = model.get_output_embeddings()
    ids = torch.arange(8, device=next(model.parameters()).device)[None]  # (1, 8)
    own = model(input_ids=ids, use_cache=False).logits.float()  # (1, 8, V)
    ours = None if head is None else head_logits(model, _final_states(model, ids)).float()
    if ours is None or (ours - own).abs().max() > HEAD_TOLERANCE * own.abs().max():  # a broken model's NaN passes
        raise ArtifactError(
            f"{type(model).__name__} (model type '{model.config.model_type}') makes its logits in a way not known here",
            "its losses would be wrong; read another base, or score without one: signals=[length, random]",
        )


def _prompt_state(hidden: Tensor, batch: Sequence[Encoded]) -> Tensor:
    """Mean state over the tokens before each row's last response (its first token where there are none): (B, H)."""
    return torch.stack([hidden[b, : max(1, e.n_prompt)].float().mean(0) for b, e in enumerate(batch)])
