"""Greedy replies in batches: prompts padded on the left, in batches of like length, over a key-value cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch

from sluicegate import runtime
from sluicegate.models.encode import end_ids, length_batches
from sluicegate.models.load import Loaded
from sluicegate.models.positions import positions, reply_room

if TYPE_CHECKING:
    from transformers import GenerationConfig


@torch.inference_mode()
def generate(loaded: Loaded, prompts: Sequence[Sequence[int]], max_new_tokens: int, batch_size: int = 96) -> list[str]:
    """The greedy reply to each prompt, in order, without special tokens.

    Args:
        loaded: the model and its tokenizer.
        prompts: token ids, as `Encoder.encode_prompt` gives them.
        max_new_tokens: where a reply that does not end is cut; sooner where the model has no position left for more.
        batch_size: prompts at once; it changes the speed and, but for rounding, nothing else.
    """
    pad_id = loaded.tokenizer.pad_token_id or 0
    model: Any = loaded.model
    settings = _settings(loaded, pad_id)
    replies = [""] * len(prompts)
    rooms = [reply_room(model.config, len(p), max_new_tokens) for p in prompts]
    if full := rooms.count(0):
        subject = "1 prompt leaves" if full == 1 else f"{full:,} prompts leave"
        runtime.warn(f"generate: {subject} no room for a reply: the model reads {positions(model.config)} tokens")
    for places in runtime.track(list(_batches([len(p) for p in prompts], rooms, batch_size)), "generate"):
        settings.max_new_tokens = rooms[places[0]]
        ids, mask = _pad_left([prompts[i] for i in places], pad_id)  # (B, T)
        out = model.generate(
            input_ids=ids.to(loaded.device), attention_mask=mask.to(loaded.device), generation_config=settings
        )
        texts = loaded.tokenizer.batch_decode(out[:, ids.shape[1] :], skip_special_tokens=True)
        for i, text in zip(places, texts, strict=True):
            replies[i] = text
    return replies


def _batches(lengths: Sequence[int], rooms: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Places of prompts whose replies have the same room, so that no reply hangs on what else is in its batch."""
    for room in sorted({room for room in rooms if room}, reverse=True):
        places = [i for i, own in enumerate(rooms) if own == room]
        for batch in length_batches([lengths[i] for i in places], batch_size=batch_size):
            yield [places[i] for i in batch]


def _settings(loaded: Loaded, pad_id: int) -> GenerationConfig:
    """Greedy, whatever sampling the model folder asks for, and stopping at its end tokens and its template's."""
    from transformers import GenerationConfig

    own = loaded.model.generation_config.eos_token_id
    stops = {*end_ids(loaded.tokenizer), *([own] if isinstance(own, int) else own or [])}
    return GenerationConfig(do_sample=False, eos_token_id=sorted(stops), pad_token_id=pad_id, use_cache=True)


def _pad_left(prompts: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, both (B, T): every prompt ends at the last column, where its reply begins."""
    width = max(map(len, prompts))
    ids = torch.tensor([[pad_id] * (width - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    return ids, mask
