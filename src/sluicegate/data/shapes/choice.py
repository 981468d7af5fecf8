"""Questions with several answers to choose from: the right one is the response, all of them stand in `meta.choices`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sluicegate.data.shapes.base import Columns, Conversation, Shape, Unfit
from sluicegate.data.shapes.columns import exchange, json_or_itself, kind, scalar_text, text

LETTERS = "ABCDEFGHIJ"


class Choices(Shape):
    """`query` and its `choices`, of which `gold` is the number of the right one, counted from 0."""

    name = "choices"
    columns = ("query", "choices", "gold")

    def read(self, row: Columns, config: Any) -> Conversation:
        return chosen(text(row, "query"), listed(row, "choices"), row["gold"])


class HellaSwag(Shape):
    """HellaSwag (arXiv 1905.07830): a `ctx` and four `endings`, of which `label` is the number of the right one."""

    name = "hellaswag"
    columns = ("ctx", "endings", "label")
    optional = ("activity_label",)

    def read(self, row: Columns, config: Any) -> Conversation:
        label = row.get("activity_label")
        begun = f"{label}: {text(row, 'ctx')}" if isinstance(label, str) and label else text(row, "ctx")
        return chosen(begun, listed(row, "endings"), row["label"])


class WinoGrande(Shape):
    """WinoGrande (arXiv 1907.10641): a `sentence` with a `_`, and the two options for it; `answer` is 1 or 2."""

    name = "winogrande"
    columns = ("sentence", "option1", "option2", "answer")

    def read(self, row: Columns, config: Any) -> Conversation:
        return chosen(text(row, "sentence"), [text(row, "option1"), text(row, "option2")], row["answer"], first=1)


class Mmlu(Shape):
    """MMLU (arXiv 2009.03300): `question`, its `choices`, and the number of the right one in `answer`."""

    name = "mmlu"
    columns = ("question", "choices", "answer")

    def read(self, row: Columns, config: Any) -> Conversation:
        return chosen(text(row, "question"), listed(row, "choices"), row["answer"])


class Exam(Shape):
    """C-Eval (arXiv 2305.08322): `question`, the choices `A` to `D`, and the letter of the right one in `answer`."""

    name = "exam"
    columns: ClassVar[tuple[str, ...]] = ("question", "A", "B", "C", "D", "answer")

    def read(self, row: Columns, config: Any) -> Conversation:
        asked, *letters, answer = self.columns
        choices = [scalar_text(row[letter]) for letter in letters]
        if None in choices:
            raise Unfit(f"wrong type: choice {letters[choices.index(None)]} is no text")
        return chosen(text(row, asked), [str(choice) for choice in choices], row[answer])


class Cmmlu(Exam):
    """CMMLU (arXiv 2306.09212): the same columns, `Question` and `Answer` with a capital."""

    name = "cmmlu"
    columns: ClassVar[tuple[str, ...]] = ("Question", "A", "B", "C", "D", "Answer")


def chosen(asked: str, choices: Sequence[str], gold: Any, first: int = 0) -> Conversation:
    """A question and its right choice; `gold` is its letter, or its number counted from `first`."""
    said = (scalar_text(gold) or "").strip().upper()
    place = int(said) - first if said.isdecimal() else LETTERS.find(said) if len(said) == 1 else -1
    if not 0 <= place < len(choices):
        raise Unfit(f"no answer: {gold!r} is none of {len(choices)} choices")
    return Conversation(exchange(asked, choices[place]), LETTERS[place], {"choices": list(choices)})


def listed(row: Columns, name: str) -> list[str]:
    """The texts in a column."""
    found = json_or_itself(row[name])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Unfit(f"wrong type: '{name}' is {kind(found)}, not a list of texts")
    if not 2 <= len(found) <= len(LETTERS):
        raise Unfit(f"no answer: {len(found)} are no choice between 2 to {len(LETTERS)}")
    return found
