"""An order, a prompt or a question, and the response to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from sluicegate.data.shapes.base import Columns, Conversation, Found, Several, Shape, Unfit
from sluicegate.data.shapes.columns import exchange, json_or_itself, kind, optional_text, system, text, turns
from sluicegate.schema import Message


class Alpaca(Shape):
    """`instruction`, `input` (often empty), `output`; in some sets the turns before them as `history`."""

    name = "alpaca"
    columns: ClassVar[tuple[str, ...]] = ("instruction", "output")
    optional: ClassVar[tuple[str, ...]] = ("input", "history", "system")

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation([*system(row), *history(row), *exchange(asked(row, "input"), text(row, "output"))])


class Dolly(Shape):
    """Dolly: `instruction`, `context` (often empty), `response`, and a `category`."""

    name = "dolly"
    columns = ("instruction", "response")
    optional = ("context",)

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation(exchange(asked(row, "context"), text(row, "response")))


class SelfInstruct(Several):
    """Seed tasks of Self-Instruct (arXiv 2212.10560): an `instruction`, and `instances` of {input, output}."""

    name = "self_instruct"
    columns = ("instruction", "instances")

    def read_all(self, rows: Sequence[Columns], config: Any) -> Iterator[Found]:
        for n, row in enumerate(rows):
            try:
                for found in self._instances(row):
                    yield Found(found, (n,))
            except Unfit as unfit:
                yield Found(unfit, (n,))

    def _instances(self, row: Columns) -> list[Conversation]:
        found = json_or_itself(row["instances"])
        if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
            raise Unfit(f"wrong type: 'instances' is {kind(found)}, not a list of inputs and outputs")
        if not found:
            raise Unfit("no assistant turn: there is no instance")
        whole = [{**item, "instruction": row["instruction"]} for item in found]
        return [Conversation(exchange(asked(item, "input"), text(item, "output"))) for item in whole]


class PromptCompletion(Shape):
    """`prompt` and `completion`, each a text or, as TRL also has it, a list of turns."""

    name = "prompt_completion"
    columns = ("prompt", "completion")
    optional = ("system",)

    def read(self, row: Columns, config: Any) -> Conversation:
        prompt, completion = text_or_turns(row, "prompt", "user"), text_or_turns(row, "completion", "assistant")
        return Conversation([*system(row), *prompt, *completion])


class QuestionAnswer(Shape):
    """`question` and `answer`, the answer being the whole response."""

    name = "question_answer"
    columns = ("question", "answer")

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation(exchange(text(row, "question"), text(row, "answer")))


class Text(Shape):
    """`text`: a plain document, to pretrain on: one assistant turn that answers nothing."""

    name = "text"
    columns = ("text",)

    def fits(self, row: Columns) -> bool:
        """Messages of trees have a `text` as well, and are no documents."""
        return "role" not in row

    def read(self, row: Columns, config: Any) -> Conversation:
        return Conversation([Message(role="assistant", content=text(row, "text"))])


def asked(row: Columns, beside: str) -> str:
    """The instruction, and behind it what it is about, where that is given."""
    return "\n\n".join(filter(None, [text(row, "instruction"), optional_text(row, beside)]))


def history(row: Columns) -> list[Message]:
    """Earlier turns, as pairs of what was asked and what was answered."""
    pairs = json_or_itself(row.get("history")) or []
    if not isinstance(pairs, list) or not all(isinstance(p, list) and list(map(type, p)) == [str, str] for p in pairs):
        raise Unfit(f"wrong type: 'history' is {kind(pairs)}, not a list of questions with their answers")
    return [message for pair in pairs for message in exchange(*pair)]


def text_or_turns(row: Columns, name: str, role: str) -> list[Message]:
    """A column of turns, or of one text that `role` says."""
    return turns(row, name) if isinstance(row[name], list) else [Message(role=role, content=text(row, name))]
