"""A few held-out prompts that are answered again and again while a model learns, to be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sluicegate.models.encode import Encoder
from sluicegate.models.generate import generate
from sluicegate.models.load import Loaded
from sluicegate.schema import Message, Record
from sluicegate.training.watching.watch_config import WatchConfig

ANSWERS = "answers.jsonl"


@dataclass(frozen=True)
class Question:
    """A conversation up to a reply."""

    id: str
    prompt: Sequence[Message]
    expected: str
    """What the reply should be."""

    @classmethod
    def of(cls, record: Record) -> Question | None:
        """Before the last reply of a conversation; None where nothing is before it."""
        turns = record["messages"]
        last = max((n for n, turn in enumerate(turns) if turn["role"] == "assistant"), default=0)
        return cls(record["id"], turns[:last], turns[last]["content"]) if last else None


class Questions:
    """Answered greedily by whatever has become of a model.

    Args:
        asked: they are read until there are enough.
    """

    def __init__(self, tokenizer: Any, asked: Iterable[Question | None], config: WatchConfig) -> None:
        self.tokenizer, self.max_new_tokens = tokenizer, config.max_new_tokens
        self.asked = list(islice(filter(None, asked), config.prompts))
        encoder = Encoder(tokenizer)
        self.prompts = [encoder.encode_prompt(question.prompt) for question in self.asked]

    def answer(self, model: Any) -> list[dict[str, str]]:
        """For each `id`, `prompt` (its last turn), `expected` and `answer`."""
        if not self.asked:
            return []
        replies = generate(Loaded(model, self.tokenizer), self.prompts, self.max_new_tokens)
        return [
            {"id": one.id, "prompt": one.prompt[-1]["content"], "expected": one.expected, "answer": reply}
            for one, reply in zip(self.asked, replies, strict=True)
        ]
