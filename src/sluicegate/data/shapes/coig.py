"""COIG (arXiv 2304.07987), whose files are laid out in several ways, and its larger sibling COIG-PC-core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluicegate.data.shapes.base import Columns, Conversation, Shape, Unfit
from sluicegate.data.shapes.columns import exchange, json_or_itself, kind, optional_text, text
from sluicegate.data.shapes.instruction import Alpaca
from sluicegate.schema import Message


class Coig(Shape):
    """An `instruction`, and `conversations` of {question, answer}: the layout its loader gave to every file."""

    name = "coig"
    columns = ("instruction", "conversations")

    def fits(self, row: Columns) -> bool:
        """Its turns are pairs."""
        found = json_or_itself(row["conversations"])
        return isinstance(found, list) and bool(found) and isinstance(found[0], Mapping) and "question" in found[0]

    def read(self, row: Columns, config: Any) -> Conversation:
        found = json_or_itself(row["conversations"])
        if not isinstance(found, list) or not all(isinstance(pair, Mapping) for pair in found):
            raise Unfit(f"wrong type: 'conversations' is {kind(found)}, not a list of questions and answers")
        said = [m for pair in found for m in exchange(optional_text(pair, "question"), text(pair, "answer"))]
        return Conversation(_opened(text(row, "instruction"), said))


def _opened(instruction: str, said: list[Message]) -> list[Message]:
    """The instruction in front of the first question, which may be empty."""
    first = _joined(instruction, said[0]["content"] if said else "")
    return [Message(role="user", content=first), *said[1:]]


class CoigExam(Shape):
    """Its exams, and half of its human values: `textbox_question`, `textbox_answer`, and how one comes to it."""

    name = "coig_exam"
    columns = ("textbox_q_instruction", "textbox_question", "textbox_answer")
    optional = ("textbox_q_context", "textbox_answer_analysis")

    def read(self, row: Columns, config: Any) -> Conversation:
        context, analysis = (optional_text(row, name) for name in self.optional)
        question = _joined(text(row, "textbox_q_instruction"), context, text(row, "textbox_question"))
        answer = text(row, "textbox_answer")
        return Conversation(exchange(question, _joined(analysis, answer)), answer.strip() or None)


class CoigTranslated(Shape):
    """Its translations: Alpaca's columns in English, and beside them in Chinese, which is what is read."""

    name = "coig_translated"
    columns = ("instruction", "output", "trans_instruction", "trans_output")
    optional = ("input", "trans_input")

    def read(self, row: Columns, config: Any) -> Conversation:
        question = _joined(text(row, "trans_instruction"), optional_text(row, "trans_input"))
        return Conversation(exchange(question, text(row, "trans_output")))


class CoigPcCore(Alpaca):
    """COIG-PC-core: Alpaca's columns, with the name and the type of the task beside them."""

    name = "coig_pc_core"
    columns = ("instruction", "input", "output", "task_name_in_eng", "task_type")
    optional = ("history", "system")

    def read(self, row: Columns, config: Any) -> Conversation:
        kinds = row["task_type"]
        major = kinds.get("major") if isinstance(kinds, Mapping) else None
        meta = {"task": row["task_name_in_eng"], "task_type": ", ".join(map(str, major or []))}
        return Conversation(super().read(row, config).messages, meta=meta)


def _joined(*parts: str) -> str:
    return "\n\n".join(filter(None, parts))
