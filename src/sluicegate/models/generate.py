"""Replies in batches: prompts padded on the left, then a token at a time over a key-value cache.

A reply that has ended leaves its batch, so the last long one does not pay for all the others.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from sluicegate import runtime
from sluicegate.models.encode import end_ids, length_batches
from sluicegate.models.load import Loaded
from sluicegate.models.positions import positions, reply_room
from sluicegate.models.sampling import Sampling, chances, choose, penalise

CROWDED = 0.75
"""Share of a batch that is still being written below which the others leave it: to part with them costs a copy."""
UNFINISHED = "\ufffd"
"""How a character shows whose last bytes are still to come."""


@dataclass(frozen=True)
class Reply:
    """What a model says to a prompt."""

    text: str
    """Without special tokens, and without the stop text."""
    n_tokens: int
    """Tokens that were generated, the end token included."""
    ended: Literal["end", "stop", "length", "no room"]
    """By its end token or a stop text, cut at the most tokens, or not even begun."""


def generate(loaded: Loaded, prompts: Sequence[Sequence[int]], max_new_tokens: int, batch_size: int = 96) -> list[str]:
    """The greedy reply to each prompt, see `replies`."""
    return [reply.text for reply in replies(loaded, prompts, Sampling(max_new_tokens=max_new_tokens), batch_size)]


def replies(
    loaded: Loaded, prompts: Sequence[Sequence[int]], sampling: Sampling, batch_size: int = 96, first: int = 0
) -> list[Reply]:
    """The reply to each prompt, in order; `first` is the place of the first one, where these are some of many."""
    made: dict[int, Reply] = {}
    for some in batches_of_replies(loaded, dict(enumerate(prompts, first)), sampling, batch_size):
        made |= some
    return [made[place] for place in sorted(made)]


def batches_of_replies(
    loaded: Loaded, prompts: Mapping[int, Sequence[int]], sampling: Sampling, batch_size: int = 96
) -> Iterator[dict[int, Reply]]:
    """Replies by the places of their prompts, as the batches are done.

    Args:
        loaded: the model and its tokenizer.
        prompts: token ids, as `Encoder.encode_prompt` gives them, by their places among all that are asked.
        sampling: `max_new_tokens` ends sooner where the model has no position left for more.
        batch_size: prompts at once; it changes the speed and, but for rounding, nothing else.
    """
    config = loaded.model.config
    rooms = {place: reply_room(config, len(prompt), sampling.max_new_tokens) for place, prompt in prompts.items()}
    if full := [place for place, room in rooms.items() if not room]:
        subject = "1 prompt leaves" if len(full) == 1 else f"{len(full):,} prompts leave"
        runtime.warn(f"generate: {subject} no room for a reply: the model reads {positions(config)} tokens")
        yield dict.fromkeys(full, Reply("", 0, "no room"))
    for places in runtime.track(list(_batches(prompts, rooms, batch_size)), "generate"):
        batch = Batch(loaded, [prompts[place] for place in places], sampling, rooms[places[0]], places)
        for _ in batch:
            pass
        yield {place: batch.reply(number) for number, place in enumerate(places)}


def stream(loaded: Loaded, prompt: Sequence[int], sampling: Sampling, place: int = 0) -> Iterator[str]:
    """The reply to one prompt, in pieces as they come; a piece that may begin a stop text waits until it is told."""
    room = reply_room(loaded.model.config, len(prompt), sampling.max_new_tokens)
    if not room:
        runtime.warn(f"generate: the prompt fills the {positions(loaded.model.config)} tokens that the model reads")
        return
    batch, told = Batch(loaded, [prompt], sampling, room, [place]), 0
    for _ in batch:
        text = batch.reply(0).text
        ready = len(text) - _held_back(text, sampling.stop)
        if ready > told:
            yield text[told:ready]
            told = ready
    yield batch.reply(0).text[told:]


class Batch:
    """Replies on their way: every turn of an iteration is one more token of each that has not ended.

    Shapes: B prompts that still go on, T tokens of the longest prompt, S tokens read so far, V tokens known.

    Args:
        room: tokens a reply may have.
        places: of the prompts among all that are asked.
    """

    def __init__(
        self, loaded: Loaded, prompts: Sequence[Sequence[int]], sampling: Sampling, room: int, places: Sequence[int]
    ) -> None:
        self.loaded, self.sampling, self.room = loaded, sampling, room
        self.ends = _end_tokens(loaded)
        self.written = [_Written() for _ in prompts]
        self.going = list(range(len(prompts)))
        ids, mask = _pad_left(prompts, loaded.tokenizer.pad_token_id or 0)
        self.ids, self.mask = ids.to(loaded.device), mask.to(loaded.device)  # (B, T), (B, S)
        self.positions = (self.mask.cumsum(-1) - 1).clamp(min=0)  # (B, T)
        self.padded = not bool(mask.all())
        self.cache: Any = None
        self.takes = _takes(loaded.model)
        self.chances = torch.from_numpy(chances(sampling, places, room)).to(loaded.device)  # (B, room)
        self.seen = self._seen() if sampling.repetition_penalty != 1 else None  # (B, V)

    def __iter__(self) -> Iterator[None]:
        """As long as one of them goes on and there is room."""
        for step in range(self.room):
            with torch.inference_mode():
                self._step(step)
            yield
            if not self.going:
                return

    def reply(self, number: int) -> Reply:
        """What stands so far of a reply."""
        written = self.written[number]
        text = self._text(written.ids)
        if (cut := _first_stop(text, self.sampling.stop)) is not None:
            text = text[:cut]
        return Reply(text, written.n_tokens, written.ended)

    def _step(self, step: int) -> None:
        scores = self._forward()  # (B, V)
        if self.seen is not None:
            scores = penalise(scores, self.seen, self.sampling.repetition_penalty)
        chosen = choose(scores, self.sampling, self.chances[:, step])  # (B,)
        if self.seen is not None:
            self.seen.scatter_(1, chosen[:, None], True)
        self.ids = chosen[:, None]
        alive = [self._take(row, token) for row, token in enumerate(chosen.tolist())]
        self._part(alive)

    def _forward(self) -> Tensor:
        """Scores of the next tokens, (B, V); the cache then knows of `ids` too."""
        told: dict[str, Any] = {"attention_mask": self.mask} if self.padded else {}
        if "position_ids" in self.takes:
            told["position_ids"] = self.positions
        if "logits_to_keep" in self.takes:
            told["logits_to_keep"] = 1
        out = self.loaded.model(input_ids=self.ids, past_key_values=self.cache, use_cache=True, **told)
        self.cache, self.positions = out.past_key_values, self.positions[:, -1:] + 1  # (B, 1)
        if self.padded:
            self.mask = torch.cat([self.mask, torch.ones_like(self.positions)], dim=1)  # (B, S + 1)
        return out.logits[:, -1]

    def _take(self, row: int, token: int) -> bool:
        """Write a row's token down; whether its reply goes on."""
        written = self.written[self.going[row]]
        if written.ended != "length":
            return False
        written.n_tokens += 1
        if token in self.ends:
            written.ended = "end"
        else:
            written.ids.append(token)
            if self.sampling.stop and self._stops(written.ids):
                written.ended = "stop"
        return written.ended == "length"

    def _part(self, alive: Sequence[bool]) -> None:
        """Leave out the rows that have ended, where they are many."""
        rows = [row for row, goes_on in enumerate(alive) if goes_on]
        if not rows or len(rows) <= CROWDED * len(alive):
            self.going = [self.going[row] for row in rows]
            if rows:
                self._keep(torch.tensor(rows, device=self.ids.device))

    def _keep(self, rows: Tensor) -> None:
        self.cache.batch_select_indices(rows)
        self.ids, self.mask, self.positions = self.ids[rows], self.mask[rows], self.positions[rows]
        self.chances = self.chances[rows]
        self.seen = None if self.seen is None else self.seen[rows]

    def _seen(self) -> Tensor:
        """Which tokens each prompt holds, (B, V); padding is none of them."""
        size = self.loaded.model.config.get_text_config().vocab_size
        counts = torch.zeros(len(self.ids), size, dtype=torch.long, device=self.ids.device)
        return counts.scatter_add_(1, self.ids, self.mask) > 0

    def _stops(self, ids: Sequence[int]) -> bool:
        """Whether a stop text stands at the end: every token is a byte at least, so a few tokens are enough to tell."""
        longest = max(len(text.encode()) for text in self.sampling.stop)
        return _first_stop(self._text(ids[-longest - 4 :]), self.sampling.stop) is not None

    def _text(self, ids: Sequence[int]) -> str:
        tokenizer: Any = self.loaded.tokenizer
        return tokenizer.decode(list(ids), skip_special_tokens=True)


@dataclass
class _Written:
    """A reply as far as it goes."""

    ids: list[int] = field(default_factory=list)
    n_tokens: int = 0
    ended: Literal["end", "stop", "length"] = "length"


def _batches(prompts: Mapping[int, Sequence[int]], rooms: Mapping[int, int], batch_size: int) -> Iterator[list[int]]:
    """Places of prompts whose replies have the same room, so that no reply hangs on what else is in its batch."""
    for room in sorted({room for room in rooms.values() if room}, reverse=True):
        places = [place for place, own in rooms.items() if own == room]
        for batch in length_batches([len(prompts[place]) for place in places], batch_size=batch_size):
            yield [places[i] for i in batch]


def _end_tokens(loaded: Loaded) -> set[int]:
    """The model's end tokens and those of its template."""
    own = loaded.model.generation_config.eos_token_id
    return {*end_ids(loaded.tokenizer), *([own] if isinstance(own, int) else own or [])}


def _takes(model: Any) -> set[str]:
    """What the model's forward pass can be told."""
    whole = model.get_base_model() if hasattr(model, "peft_config") else model
    return set(inspect.signature(type(whole).forward).parameters)


def _pad_left(prompts: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Ids and mask, both (B, T): every prompt ends at the last column, where its reply begins."""
    width = max(map(len, prompts))
    ids = torch.tensor([[pad_id] * (width - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    return ids, mask


def _first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the first stop text begins."""
    return min((at for stop in stops if (at := text.find(stop)) >= 0), default=None)


def _held_back(text: str, stops: Sequence[str]) -> int:
    """Characters at the end that may still change or turn out to be a stop text."""
    open_bytes = len(text) - len(text.rstrip(UNFINISHED))
    begun = (n for stop in stops for n in range(1, len(stop)) if text.endswith(stop[:n]))
    return max(open_bytes, max(begun, default=0))
