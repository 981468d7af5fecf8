"""The nouns. Every row that crosses a stage boundary has one of these shapes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal, TypedDict

Role = Literal["system", "user", "assistant", "tool"]
Lang = Literal["zh", "en", "other"]
Kind = Literal["messages", "pairs", "model", "gate", "scores", "selection", "evaluation", "report", "bundle"]


class Message(TypedDict):
    """One turn, named as transformers chat templates and TRL name it."""

    role: str
    content: str


class Record(TypedDict):
    """One conversation. `id` is the hash of its messages, so it survives shuffles and merges."""

    id: str
    source: str
    lang: str
    messages: list[Message]
    n_chars: int
    answer: str | None
    """The verifiable final answer, where the source has one."""
    meta: str
    """JSON text. For people and measurements only: no signal and no rule reads it."""


class Pair(TypedDict):
    """One preference: a prompt with a chosen and a rejected continuation."""

    id: str
    source: str
    lang: str
    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    meta: str


class Dropped(TypedDict):
    """A row that was set aside, where it stood, and why."""

    source: str
    line: int
    """1-based line or row number in its source."""
    reason: str
    text: str
    """The head of the row as it was read."""


class Decision(TypedDict):
    """What a rule said about one record: kept or not, at which rank (0 is best), and why."""

    id: str
    kept: bool
    rank: int
    reason: str


def record_id(messages: Sequence[Message]) -> str:
    """16 hex digits of the SHA-256 of the conversation's roles and contents."""
    text = json.dumps([[m["role"], m["content"]] for m in messages], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def make_record(
    messages: Sequence[Message],
    source: str,
    lang: str,
    answer: str | None = None,
    meta: dict[str, object] | None = None,
) -> Record:
    """A `Record` with its derived columns filled in."""
    return {
        "id": record_id(messages),
        "source": source,
        "lang": lang,
        "messages": [{"role": m["role"], "content": m["content"]} for m in messages],
        "n_chars": sum(len(m["content"]) for m in messages),
        "answer": answer,
        "meta": json.dumps(meta or {}, ensure_ascii=False, sort_keys=True),
    }


def pair_id(prompt: Sequence[Message], chosen: Sequence[Message], rejected: Sequence[Message]) -> str:
    """16 hex digits of the SHA-256 of what the prompt, the chosen and the rejected continuation say."""
    text = " ".join(map(record_id, (prompt, chosen, rejected)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def make_pair(
    prompt: Sequence[Message],
    chosen: Sequence[Message],
    rejected: Sequence[Message],
    source: str,
    lang: str,
    meta: dict[str, object] | None = None,
) -> Pair:
    """A `Pair` with its derived columns filled in."""
    sides = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    turns = {name: [Message(role=m["role"], content=m["content"]) for m in side] for name, side in sides.items()}
    return {
        "id": pair_id(prompt, chosen, rejected),
        "source": source,
        "lang": lang,
        "prompt": turns["prompt"],
        "chosen": turns["chosen"],
        "rejected": turns["rejected"],
        "meta": json.dumps(meta or {}, ensure_ascii=False, sort_keys=True),
    }


def content_id(record_id: str) -> str:
    """The id of the conversation itself: copies kept by `dedup: none` carry `.2`, `.3`, … behind it."""
    return record_id.partition(".")[0]
