"""The published shapes of instruction rows, one small function each, from a row's columns to a conversation."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sluicegate.schema import Message

ShapeName = Literal[
    "auto", "messages", "sharegpt", "gsm8k", "math", "alpaca", "prompt_completion", "question_answer", "text"
]
Columns: TypeAlias = Mapping[str, Any]

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "model"), "assistant"),
    "system": "system",
    **dict.fromkeys(("tool", "function", "observation"), "tool"),
}
META_CHARS = 200


class Unfit(Exception):
    """Why a row is set aside: `kind: detail`, where rows are counted by the kind."""


@dataclass(frozen=True)
class Conversation:
    """What a shape reads off a row: its turns, and the final answer that can be checked, where it has one."""

    messages: list[Message]
    answer: str | None = None


@dataclass(frozen=True)
class Shape:
    """One published layout."""

    columns: tuple[str, ...]
    """The columns it reads; a row of this shape has all but the optional ones."""
    read: Callable[[Columns], Conversation]
    optional: tuple[str, ...] = ()
    mark: Callable[[Columns], bool] = lambda row: True
    """What tells it from other shapes with the same columns."""

    def fits(self, row: Columns) -> bool:
        """Whether the row has this shape's columns and its mark."""
        return all(name in row for name in self.columns) and self.mark(row)


def converse(row: Any, shape: ShapeName = "auto") -> tuple[Conversation, dict[str, Any]]:
    """A row as a conversation, and what its other columns say, for `meta`.

    Raises:
        Unfit: the row is no mapping, has no known shape or not the one asked for, or a column of a wrong type.
    """
    if not isinstance(row, Mapping):
        raise Unfit(f"wrong type: a row is {_kind(row)}, not an object with named columns")
    found = recognise(row) if shape == "auto" else shape
    if found is None:
        raise Unfit(f"no known shape: columns {', '.join(sorted(map(str, row))[:8]) or 'none'}")
    used = SHAPES[found]
    if missing := [name for name in used.columns if name not in row]:
        raise Unfit(f"no column: {missing[0]}")
    read = used.read(row)
    if read.answer is None and "answer" not in used.columns:
        read = Conversation(read.messages, _scalar_text(row.get("answer")))
    return read, extras(row, {*used.columns, *used.optional, "answer"})


def recognise(row: Columns) -> str | None:
    """The first shape in the table below that fits the row."""
    return next((name for name, shape in SHAPES.items() if shape.fits(row)), None)


def extras(row: Columns, used: set[str]) -> dict[str, Any]:
    """The short plain values of the columns no shape read; those inside a `meta` column stand beside them."""
    inner = _json_or_itself(row.get("meta"))
    columns = {k: v for k, v in row.items() if k != "meta"} | inner if isinstance(inner, dict) else row
    return {str(k): v for k, v in columns.items() if k not in used and _is_short(v)}


# Shapes -------------------------------------------------------------------------------------------------------------


def messages(row: Columns) -> Conversation:
    """`messages`: [{role, content}], as TRL, transformers and the OpenAI API write it."""
    return Conversation(_turns(row, "messages"))


def sharegpt(row: Columns) -> Conversation:
    """`conversations`: [{from, value}], with a `system` column in some sets."""
    return Conversation([*_system(row), *_turns(row, "conversations")])


def alpaca(row: Columns) -> Conversation:
    """`instruction`, `input` (often empty), `output`."""
    asked = [_text(row, "instruction"), _optional_text(row, "input")]
    return Conversation([*_system(row), *_exchange("\n\n".join(filter(None, asked)), _text(row, "output"))])


def prompt_completion(row: Columns) -> Conversation:
    """`prompt` and `completion`, each a text or, as TRL also has it, a list of turns."""
    sides = [("user", "prompt"), ("assistant", "completion")]
    turns = [
        _turns(row, name) if isinstance(row[name], list) else [Message(role=role, content=_text(row, name))]
        for role, name in sides
    ]
    return Conversation([*_system(row), *turns[0], *turns[1]])


def question_answer(row: Columns) -> Conversation:
    """`question` and `answer`, the answer being the whole response."""
    return Conversation(_exchange(_text(row, "question"), _text(row, "answer")))


def gsm8k(row: Columns) -> Conversation:
    """GSM8K (arXiv 2110.14168): `question`, and an `answer` of steps that ends in `#### n`."""
    steps = _text(row, "answer")
    final = steps.rpartition("####")[2].strip().replace(",", "")
    return Conversation(_exchange(_text(row, "question"), steps), final or None)


def math_problem(row: Columns) -> Conversation:
    r"""MATH (arXiv 2103.03874): `problem`, and a `solution` whose last `\boxed{}` is the answer."""
    solution = _text(row, "solution")
    return Conversation(_exchange(_text(row, "problem"), solution), last_boxed(solution))


def text(row: Columns) -> Conversation:
    """`text`: a plain document, to pretrain on: one assistant turn that answers nothing."""
    return Conversation([Message(role="assistant", content=_text(row, "text"))])


SHAPES: dict[str, Shape] = {
    "messages": Shape(("messages",), messages),
    # Sets of preferences keep the response beside the `conversations`, in columns of their own.
    "sharegpt": Shape(("conversations",), sharegpt, ("system",), mark=lambda row: "rejected" not in row),
    "gsm8k": Shape(("question", "answer"), gsm8k, mark=lambda row: "####" in str(row["answer"])),
    "math": Shape(("problem", "solution"), math_problem),
    "alpaca": Shape(("instruction", "output"), alpaca, ("input", "system")),
    "prompt_completion": Shape(("prompt", "completion"), prompt_completion, ("system",)),
    "question_answer": Shape(("question", "answer"), question_answer),
    # Flat rows of message trees have a `text` as well, and are no documents.
    "text": Shape(("text",), text, mark=lambda row: "role" not in row),
}


def last_boxed(solution: str) -> str | None:
    r"""What stands in the last `\boxed{}` or `\fbox{}`, braces inside it balanced; None where it is never closed."""
    start = max(solution.rfind(r"\boxed"), solution.rfind(r"\fbox"))
    found = re.match(r"\\(?:boxed|fbox)\s*(\{|[^\s{$])", solution[start:]) if start >= 0 else None
    if found is None or found[1] != "{":
        return found[1] if found else None
    depth, first = 1, start + found.end()
    for at in range(first, len(solution)):
        depth += {"{": 1, "}": -1}.get(solution[at], 0) if solution[at - 1] != "\\" else 0
        if depth == 0:
            return solution[first:at].strip() or None
    return None


# Columns ------------------------------------------------------------------------------------------------------------


def _exchange(prompt: str, response: str) -> list[Message]:
    return [Message(role="user", content=prompt), Message(role="assistant", content=response)]


def _system(row: Columns) -> list[Message]:
    prompt = _optional_text(row, "system")
    return [Message(role="system", content=prompt)] if prompt else []


def _turns(row: Columns, column: str) -> list[Message]:
    turns = _json_or_itself(row[column])  # CSV cells hold lists as JSON text
    if not isinstance(turns, list):
        raise Unfit(f"wrong type: '{column}' is {_kind(turns)}, not a list of turns")
    return [_turn(turn) for turn in turns]


def _turn(turn: Any) -> Message:
    if not isinstance(turn, Mapping):
        raise Unfit(f"wrong type: a turn is {_kind(turn)}, not an object")
    role_key, content_key = ("role", "content") if "role" in turn else ("from", "value")
    role = _text(turn, role_key)
    if role.lower() not in ROLES:
        raise Unfit(f"unknown role: {role[:40]!r}")
    return Message(role=ROLES[role.lower()], content=_text(turn, content_key))


def _text(row: Columns, name: str) -> str:
    if name not in row:
        raise Unfit(f"no column: {name}")
    if not isinstance(row[name], str):
        raise Unfit(f"wrong type: '{name}' is {_kind(row[name])}, not text")
    return row[name]


def _optional_text(row: Columns, name: str) -> str:
    return _text(row, name) if row.get(name) is not None else ""


def _json_or_itself(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _scalar_text(value: Any) -> str | None:
    """A number or a text as text; anything else is no answer that could be compared."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "" else None


def _is_short(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | int) or (isinstance(value, str) and 0 < len(value) <= META_CHARS)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
