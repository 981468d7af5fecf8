from __future__ import annotations

from typing import Any

import pytest

from rows_of_shapes import ASKED, SAID
from sluicegate.data.shapes import Conversation, Unfit
from sluicegate.data.shapes.instruction import Alpaca, Dolly, PromptCompletion, SelfInstruct


def said(shape: Any, row: dict[str, Any]) -> list[str]:
    return [m["content"] for m in shape().read(row, shape.Config()).messages]


def test_what_an_instruction_is_about_stands_behind_it_and_the_system_prompt_first() -> None:
    row = {"instruction": "Sort.", "input": "b a", "output": "a b", "system": "Be brief."}
    assert said(Alpaca, row) == ["Be brief.", "Sort.\n\nb a", "a b"]
    assert said(Alpaca, {"instruction": "Sort.", "input": None, "output": "a b"}) == ["Sort.", "a b"]
    assert said(Dolly, {"instruction": "Sort.", "context": "b a", "response": "a b"}) == ["Sort.\n\nb a", "a b"]


def test_earlier_turns_of_an_instruction_are_not_lost() -> None:
    row = {"instruction": "And 2?", "output": "3", "history": [["What follows 1?", "2"]]}
    assert said(Alpaca, row) == ["What follows 1?", "2", "And 2?", "3"]
    assert said(Alpaca, {**row, "history": '[["What follows 1?", "2"]]'}) == said(Alpaca, row)
    assert said(Alpaca, {**row, "history": None}) == said(Alpaca, {**row, "history": []}) == ["And 2?", "3"]


@pytest.mark.parametrize("history", ["what", [["only a question"]], {"a": 1}, [[1, 2]]])
def test_a_history_that_does_not_fit_says_why(history: Any) -> None:
    with pytest.raises(Unfit, match="wrong type: 'history' is"):
        said(Alpaca, {"instruction": "q", "output": "a", "history": history})


def test_prompt_and_completion_may_be_turns() -> None:
    assert said(PromptCompletion, {"prompt": [ASKED], "completion": [SAID]}) == ["q", "a"]
    assert said(PromptCompletion, {"prompt": "q", "completion": [SAID], "system": "s"}) == ["s", "q", "a"]


@pytest.mark.parametrize(
    ("shape", "row", "reason"),
    [
        (Alpaca, {"instruction": "i", "output": 3}, "wrong type: 'output' is a number, not text"),
        (PromptCompletion, {"prompt": 1, "completion": "c"}, "wrong type: 'prompt' is a number, not text"),
        (Dolly, {"instruction": "i", "response": None}, "wrong type: 'response' is null, not text"),
    ],
)
def test_a_row_that_does_not_fit_says_why(shape: Any, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        said(shape, row)
    assert str(caught.value) == reason


def test_every_instance_of_a_seed_task_is_a_conversation() -> None:
    shape = SelfInstruct()
    rows = [
        {"instruction": "Double.", "instances": [{"input": str(n), "output": str(2 * n)} for n in (1, 2)]},
        {"instruction": "Halve.", "instances": [{"input": "4"}]},
        {"instruction": "Halve.", "instances": "none"},
        {"instruction": "Halve.", "instances": []},
    ]
    found = list(shape.read_all(rows, shape.Config()))
    assert [f.rows for f in found] == [(0,), (0,), (1,), (2,), (3,)]
    read = [f.read.messages for f in found if isinstance(f.read, Conversation)]
    assert [[m["content"] for m in turns] for turns in read] == [["Double.\n\n1", "2"], ["Double.\n\n2", "4"]]
    assert [str(f.read) for f in found[2:]] == [
        "no column: output",
        "wrong type: 'instances' is text, not a list of inputs and outputs",
        "no assistant turn: there is no instance",
    ]
