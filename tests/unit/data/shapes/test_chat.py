from __future__ import annotations

import json
from typing import Any

import pytest

from rows_of_shapes import ASKED, SAID
from sluicegate.data.shapes import Conversation, Unfit
from sluicegate.data.shapes.chat import Less, Logged, Messages, ShareGpt


def read(shape: Any, row: dict[str, Any], **options: Any) -> Conversation:
    return shape().read(row, shape.Config(**options))


def test_turns_may_be_json_text_as_csv_holds_them() -> None:
    assert read(Messages, {"messages": json.dumps([ASKED, SAID])}).messages == [ASKED, SAID]


def test_sharegpt_knows_the_speakers_of_published_sets() -> None:
    said = [("system", "s"), ("human", "q"), ("gpt", "a"), ("observation", "o"), ("ChatGPT", "b")]
    found = read(ShareGpt, {"conversations": [{"from": who, "value": text, "weight": None} for who, text in said]})
    assert [m["role"] for m in found.messages] == ["system", "user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize("column", ["system", "system_prompt"])
def test_a_system_prompt_in_a_column_of_its_own_comes_first(column: str) -> None:
    row = {"conversations": [{"from": "human", "value": "q"}], column: "Be brief."}
    assert read(ShareGpt, row).messages[0] == {"role": "system", "content": "Be brief."}
    assert len(read(ShareGpt, {**row, column: None}).messages) == 1


def test_less_keeps_which_set_and_row_it_was() -> None:
    row = {"dataset": "flan_v2", "id": "flan_v2_7", "messages": [ASKED, SAID]}
    assert read(Less, row).meta == {"dataset": "flan_v2", "id": "flan_v2_7"}


@pytest.mark.parametrize(
    ("columns", "flagged"),
    [
        ({"toxic": True}, True),
        ({"openai_moderation": [{"flagged": False}, {"flagged": True}]}, True),
        ({"toxic": False, "openai_moderation": [{"flagged": False}]}, False),
        ({"openai_moderation": "none"}, False),
        ({}, False),
    ],
)
def test_what_moderation_said_is_kept_or_decides(columns: dict[str, Any], flagged: bool) -> None:
    row = {"conversation": [ASKED, SAID], **columns}
    assert read(Logged, row).meta == {"flagged": flagged}
    if flagged:
        with pytest.raises(Unfit, match="flagged: by its moderation"):
            read(Logged, row, flagged="drop")
    else:
        assert read(Logged, row, flagged="drop").messages == [ASKED, SAID]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ("hi", "wrong type: 'messages' is text, not a list of turns"),
        ([1], "wrong type: a turn is a number, not an object"),
        ([{"role": "critic", "content": ""}], "unknown role: 'critic'"),
        ([{"role": "user", "content": None}], "wrong type: 'content' is null, not text"),
        ([{"role": "user"}], "no column: content"),
        ([{}], "no column: from"),
        ([{"from": "human", "value": ["x"]}], "wrong type: 'value' is a list, not text"),
    ],
)
def test_turns_that_do_not_fit_say_why(turns: Any, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        read(Messages, {"messages": turns})
    assert str(caught.value) == reason
