"""Which of several answers a model finds likeliest, as a whole or byte by byte, without asking it for a letter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sluicegate.evaluation.loss import reply_losses
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import Loaded


@dataclass(frozen=True)
class Weighed:
    """How improbable a model finds each choice, in nats over all its tokens, the end of the turn included."""

    nats: list[float]
    n_bytes: list[int]
    """Of each choice in UTF-8."""

    @property
    def likeliest(self) -> int:
        """The place of the most probable choice; a short one has it easier."""
        return min(range(len(self.nats)), key=self.nats.__getitem__)

    @property
    def likeliest_per_byte(self) -> int:
        """The place of the choice that is most probable per byte, whatever its length."""
        return min(range(len(self.nats)), key=lambda place: self.nats[place] / max(1, self.n_bytes[place]))


def choices_of(record: Record) -> list[str]:
    """The choices a row leaves; none where its question is an open one."""
    return json.loads(record["meta"]).get("choices", [])


def weigh(
    loaded: Loaded,
    encoder: Encoder,
    prompts: Sequence[Sequence[Message]],
    choices: Sequence[Sequence[str]],
    batch_tokens: int = 8192,
) -> list[Weighed]:
    """What the model thinks of every choice of each question, in order.

    Args:
        prompts: the turns before the reply.
        choices: the replies to choose from, two or more for each.
    """
    if not prompts:
        return []
    pairs = [(n, choice) for n, some in enumerate(choices) for choice in some]
    losses = reply_losses(loaded, encoder, [_answered(prompts[n], choice) for n, choice in pairs], batch_tokens)
    nats: list[list[float]] = [[] for _ in prompts]
    for (n, _), (loss, n_tokens) in zip(pairs, losses, strict=True):
        nats[n].append(float("inf") if loss is None else loss * n_tokens)
    return [Weighed(nat, [len(c.encode()) for c in some]) for nat, some in zip(nats, choices, strict=True)]


def _answered(prompt: Sequence[Message], choice: str) -> Record:
    turns = [*prompt, Message(role="assistant", content=choice)]
    return Record(id="", source="", lang="other", messages=turns, n_chars=0, answer=None, meta="{}")
