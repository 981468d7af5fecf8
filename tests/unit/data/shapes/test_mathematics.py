from __future__ import annotations

from typing import Any

import pytest

from rows_of_shapes import ASKED
from sluicegate.data.shapes import Conversation, Unfit, find
from sluicegate.data.shapes.mathematics import Cmath, Gsm8k, Math, Mgsm

STEPS = "Half is 48/2 = <<48/2=24>>24 clips.\nIn all 48+24 = <<48+24=72>>72 clips."


def read(shape: Any, row: dict[str, Any], **options: Any) -> Conversation:
    return shape().read(row, shape.Config(**options))


@pytest.mark.parametrize(
    ("options", "response"),
    [
        ({}, f"{STEPS}\n#### 1,072"),
        ({"marks": "drop"}, "Half is 48/2 = 24 clips.\nIn all 48+24 = 72 clips.\n#### 1,072"),
        ({"final": "drop"}, f"{STEPS}\n"),
        ({"marks": "drop", "final": "drop"}, "Half is 48/2 = 24 clips.\nIn all 48+24 = 72 clips.\n"),
    ],
)
def test_steps_and_final_answer_are_kept_apart(options: dict[str, Any], response: str) -> None:
    found = read(Gsm8k, {"question": "q", "answer": f"{STEPS}\n#### 1,072"}, **options)
    assert (found.messages[1]["content"], found.answer) == (response, "1072")


def test_an_answer_that_marks_none_is_all_steps() -> None:
    found = read(Gsm8k, {"question": "q", "answer": "a"}, final="drop")
    assert found.messages[1]["content"] == "a"


def test_latex_stays_and_plain_text_stands_beside_it_where_asked_for() -> None:
    row = {"problem": r"What is $\frac{1}{2}+\frac12$?", "solution": r"It is $\boxed{1}$."}
    found = read(Math, row)
    assert ([m["content"] for m in found.messages], found.answer, found.meta) == (list(row.values()), "1", {})
    beside = {"plain_problem": "What is (1)/(2)+(1)/(2)?", "plain_solution": "It is 1."}
    assert read(Math, row, plain=True) == Conversation(found.messages, "1", beside)


@pytest.mark.parametrize(("golden", "answer"), [("18", "18"), (18, "18"), (0.5, "0.5")])
def test_the_golden_answer_is_the_whole_response(golden: Any, answer: str) -> None:
    found = read(Cmath, {"question": "q", "golden": golden, "grade": 3})
    assert found == Conversation([ASKED, {"role": "assistant", "content": answer}], answer, {"grade": 3})


@pytest.mark.parametrize("golden", [None, "", [18], True])
def test_a_problem_without_an_answer_is_set_aside(golden: Any) -> None:
    with pytest.raises(Unfit, match="no answer: 'golden'"):
        read(Cmath, {"question": "q", "golden": golden, "grade": 3})


def test_an_empty_response_is_filled_with_the_answer() -> None:
    row = {"dataset": "mgsm-zh", "id": "0", "messages": [ASKED, {"role": "assistant", "content": ""}], "answer": 18}
    assert find(row).name == "mgsm"
    found = read(Mgsm, row)
    assert found.messages == [ASKED, {"role": "assistant", "content": "18"}]
    assert (found.answer, found.meta) == ("18", {"dataset": "mgsm-zh", "id": "0"})
    with pytest.raises(Unfit, match="no answer: 'answer'"):
        read(Mgsm, {**row, "answer": None})
