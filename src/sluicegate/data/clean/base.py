"""What a step of cleaning is, and how several are taken one after the other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from pydantic import model_validator

from sluicegate import config
from sluicegate.data.readers import Row
from sluicegate.data.shapes import Unfit
from sluicegate.registry import CLEANERS
from sluicegate.schema import Message, Pair, Record, make_pair, make_record


class Cleaner:
    """Subclass it and write one of `row`, `text`, `turns` and `reason`; the others leave everything as it is.

    A cleaner sees one row at a time and remembers nothing of it but its `counts`, so any process can clean any row.
    """

    name: ClassVar[str]
    order: ClassVar[int]
    """Steps are taken from the lowest to the highest, whatever the order they are written in."""

    class Config(config.Config):
        """What it can be told; subclasses inherit from this one."""

        short: ClassVar[str] = ""
        """The key that is meant by a value alone: `repetition: 0.3` for `repetition: {max_share: 0.3}`."""

        @model_validator(mode="before")
        @classmethod
        def _from_value(cls, given: Any) -> Any:
            if given is True:
                return {}
            return {cls.short: given} if cls.short and not isinstance(given, Mapping) else given

    def __init__(self, config: Any) -> None:
        self.config = config
        self.counts: Counter[str] = Counter()
        """What it changed, by name, for the card."""

    def row(self, row: Row) -> Row:
        """The raw row, before its shape is known."""
        return row

    def text(self, text: str) -> str:
        """The text of one turn."""
        return text

    def turns(self, turns: Sequence[Message]) -> list[Message]:
        """The turns of a whole conversation; the three parts of a pair only have their `text` mended."""
        return [Message(role=turn["role"], content=self.text(turn["content"])) for turn in turns]

    def reason(self, turns: Sequence[Message], lang: str) -> str:
        """Why a whole conversation is set aside, `kind: detail`; empty if it is not."""
        return ""


def build_cleaners(configs: Mapping[str, Any]) -> list[Cleaner]:
    """The steps of a config, in the order they are taken."""
    made = [CLEANERS.get(name)(options) for name, options in configs.items()]
    return sorted(made, key=lambda cleaner: (cleaner.order, cleaner.name))


def clean(row: Record | Pair, cleaners: Sequence[Cleaner]) -> Record | Pair:
    """The record or pair as the steps leave it; raises `Unfit` with the reason where one sets it aside."""
    if "chosen" in row:
        return _clean_pair(cast(Pair, row), cleaners)
    return _clean_record(cast(Record, row), cleaners)


def _clean_record(record: Record, cleaners: Sequence[Cleaner]) -> Record:
    turns = list(record["messages"])
    for cleaner in cleaners:
        turns = cleaner.turns(turns)
    _check(turns, record["lang"], cleaners)
    if turns == record["messages"]:
        return record
    return make_record(turns, record["source"], record["lang"], record["answer"], json.loads(record["meta"]))


def _clean_pair(pair: Pair, cleaners: Sequence[Cleaner]) -> Pair:
    prompt, chosen, rejected = (_texts(side, cleaners) for side in (pair["prompt"], pair["chosen"], pair["rejected"]))
    for side in (chosen, rejected):
        _check([*prompt, *side], pair["lang"], cleaners)
    if chosen == rejected:
        raise Unfit("same continuations: cleaned, the chosen one is the rejected one")
    return make_pair(prompt, chosen, rejected, pair["source"], pair["lang"], json.loads(pair["meta"]))


def _texts(turns: Sequence[Message], cleaners: Sequence[Cleaner]) -> list[Message]:
    out = [turn["content"] for turn in turns]
    for cleaner in cleaners:
        out = [cleaner.text(text) for text in out]
    return [Message(role=turn["role"], content=text) for turn, text in zip(turns, out, strict=True)]


def _check(turns: Sequence[Message], lang: str, cleaners: Sequence[Cleaner]) -> None:
    if empty := [turn["role"] for turn in turns if not turn["content"]]:
        raise Unfit(f"empty turn: {empty[0]}")
    if "assistant" not in [turn["role"] for turn in turns]:
        raise Unfit("no assistant turn")
    if reason := next(filter(None, (cleaner.reason(turns, lang) for cleaner in cleaners)), ""):
        raise Unfit(reason)
