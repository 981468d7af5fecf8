"""What stands in the columns of a row, or the reason why it cannot be used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from sluicegate.data.shapes.base import Columns, Unfit
from sluicegate.schema import Message

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model"), "assistant"),
    "system": "system",
    **dict.fromkeys(("tool", "function", "observation"), "tool"),
}
META_CHARS = 200


def text(row: Columns, name: str) -> str:
    """The text in a column; raises `Unfit` where there is none."""
    if name not in row:
        raise Unfit(f"no column: {name}")
    if not isinstance(row[name], str):
        raise Unfit(f"wrong type: '{name}' is {kind(row[name])}, not text")
    return row[name]


def optional_text(row: Columns, name: str) -> str:
    """The text in a column; empty where it is null or missing."""
    return text(row, name) if row.get(name) is not None else ""


def exchange(prompt: str, response: str) -> list[Message]:
    """One question and its answer."""
    return [Message(role="user", content=prompt), Message(role="assistant", content=response)]


def system(row: Columns, *names: str) -> list[Message]:
    """A system turn from the first of some columns that is filled."""
    prompt = next(filter(None, (optional_text(row, name) for name in names or ("system",))), "")
    return [Message(role="system", content=prompt)] if prompt else []


def turns(row: Columns, column: str) -> list[Message]:
    """A column of turns, {role, content} or {from, value}; raises `Unfit` where it is none."""
    found = json_or_itself(row[column])  # CSV cells hold lists as JSON text
    if not isinstance(found, list):
        raise Unfit(f"wrong type: '{column}' is {kind(found)}, not a list of turns")
    return [turn(item) for item in found]


def turn(item: Any) -> Message:
    """One turn, its speaker named as chat templates name it."""
    if not isinstance(item, Mapping):
        raise Unfit(f"wrong type: a turn is {kind(item)}, not an object")
    role_key, content_key = ("role", "content") if "role" in item else ("from", "value")
    said = text(item, role_key)
    role = ROLES.get(said) or ROLES.get(said.lower())
    if role is None:
        raise Unfit(f"unknown role: {said[:40]!r}")
    return Message(role=role, content=text(item, content_key))


def json_or_itself(value: Any) -> Any:
    """What a JSON text holds; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def scalar_text(value: Any) -> str | None:
    """A number or a text as text; anything else is no answer that could be compared."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "" else None


def is_short(value: Any) -> bool:
    """Whether a value may stand in `meta`: plain, finite, and no long text."""
    if isinstance(value, str):
        return 0 < len(value) <= META_CHARS
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | int)


def kind(value: Any) -> str:
    """The type of a value, for people."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
