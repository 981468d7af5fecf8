from __future__ import annotations

from typing import Any

import pytest

from sluicegate.data.shapes import Unfit, find
from sluicegate.data.shapes.coig import Coig, CoigExam, CoigPcCore, CoigTranslated


def said(shape: Any, row: dict[str, Any]) -> list[str]:
    return [m["content"] for m in shape().read(row, shape.Config()).messages]


def test_the_instruction_stands_before_the_first_of_many_questions() -> None:
    turns = [{"question": "什么是水？", "answer": "H2O。"}, {"question": "冰呢？", "answer": "固态的水。"}]
    row = {"instruction": "回答问题。", "conversations": turns}
    assert find(row).name == "coig"
    assert said(Coig, row) == ["回答问题。\n\n什么是水？", "H2O。", "冰呢？", "固态的水。"]
    assert said(Coig, {**row, "conversations": [{"question": "", "answer": "好。"}]}) == ["回答问题。", "好。"]


def test_an_exam_answer_comes_behind_how_one_comes_to_it_and_can_be_checked() -> None:
    row = {
        "textbox_q_instruction": "选择正确答案。",
        "textbox_q_context": "短文。",
        "textbox_question": "1+1=?",
        "textbox_answer": "2",
        "textbox_answer_analysis": "一加一等于二。",
    }
    assert said(CoigExam, row) == ["选择正确答案。\n\n短文。\n\n1+1=?", "一加一等于二。\n\n2"]
    assert CoigExam().read(row, None).answer == "2"
    bare = {**row, "textbox_q_context": None, "textbox_answer_analysis": ""}
    assert said(CoigExam, bare) == ["选择正确答案。\n\n1+1=?", "2"]


def test_of_a_translation_the_chinese_side_is_read() -> None:
    row = {
        "instruction": "Sort.",
        "input": "b a",
        "output": "a b",
        "trans_instruction": "排序。",
        "trans_input": "乙 甲",
        "trans_output": "甲 乙",
    }
    assert find(row).name == "coig_translated"
    assert said(CoigTranslated, row) == ["排序。\n\n乙 甲", "甲 乙"]


@pytest.mark.parametrize(
    ("task_type", "told"), [({"major": ["文本分类", "问答"]}, "文本分类, 问答"), ({"major": None}, ""), ("x", "")]
)
def test_the_task_of_a_row_is_kept(task_type: Any, told: str) -> None:
    row = {"instruction": "q", "input": "", "output": "a", "task_name_in_eng": "nli", "task_type": task_type}
    assert CoigPcCore().read(row, None).meta == {"task": "nli", "task_type": told}


@pytest.mark.parametrize("conversations", ["x", [1], [{"question": "q"}], [{"question": "q", "answer": 1}]])
def test_turns_that_do_not_fit_say_why(conversations: Any) -> None:
    with pytest.raises(Unfit, match=r"wrong type|no column"):
        said(Coig, {"instruction": "q", "conversations": conversations})
