"""Conversations that are laid out as turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from sluicegate.data.shapes.base import Columns, Conversation, Shape, Unfit
from sluicegate.data.shapes.columns import system, turns


class Messages(Shape):
    """`messages`: [{role, content}], as TRL, transformers and the OpenAI API write it."""

    name = "messages"
    columns: ClassVar[tuple[str, ...]] = ("messages",)

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation(turns(row, "messages"))


class Less(Messages):
    """`messages` beside `dataset` and `id`, as LESS (arXiv 2402.04333) keeps dolly, cot, flan_v2 and oasst1."""

    name = "less"
    columns = ("dataset", "id", "messages")

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation(turns(row, "messages"), meta={"dataset": row["dataset"], "id": row["id"]})


class ShareGpt(Shape):
    """`conversations`: [{from, value}], as ShareGPT and OpenHermes have it, with a system prompt in some sets."""

    name = "sharegpt"
    columns = ("conversations",)
    optional = ("system", "system_prompt")

    def fits(self, row: Columns) -> bool:
        """Sets of preferences keep the response beside the `conversations`, in columns of their own."""
        return "rejected" not in row

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation([*system(row, *self.optional), *turns(row, "conversations")])


class Logged(Shape):
    """`conversation`: [{role, content}], as WildChat and LMSYS log it, with what moderators said of it."""

    name = "conversation"
    columns = ("conversation",)
    optional = ("toxic", "openai_moderation", "detoxify_moderation")

    class Config(Shape.Config):
        flagged: Literal["keep", "drop"] = "keep"
        """What to do with conversations that are marked as toxic, or one of whose turns a moderation flagged."""

    def read(self, row: Columns, config: Any) -> Conversation:
        flagged = _flagged(row)
        if flagged and config.flagged == "drop":
            raise Unfit("flagged: by its moderation")
        return Conversation(turns(row, "conversation"), meta={"flagged": flagged})


def _flagged(row: Columns) -> bool:
    verdicts = row.get("openai_moderation")
    found = verdicts if isinstance(verdicts, list) else []
    return row.get("toxic") is True or any(isinstance(v, Mapping) and v.get("flagged") is True for v in found)
