from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data.shapes import SHAPES, ShapeName, Unfit, converse, last_boxed, recognise

ASKED, SAID = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}

SAMPLES: dict[str, dict[str, Any]] = {
    "messages": {"messages": [ASKED, SAID]},
    "sharegpt": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
    "gsm8k": {"question": "q", "answer": "a\n#### 1,234"},
    "math": {"problem": "q", "solution": "a"},
    "alpaca": {"instruction": "q", "input": "", "output": "a"},
    "prompt_completion": {"prompt": "q", "completion": "a"},
    "question_answer": {"question": "q", "answer": "a"},
    "text": {"text": "a"},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TURN = st.fixed_dictionaries({}, optional=dict.fromkeys(("role", "content", "from", "value"), JSON))
NAMES = sorted({name for shape in SHAPES.values() for name in (*shape.columns, *shape.optional)} | {"meta", "answer"})
ROW = st.dictionaries(st.sampled_from(NAMES), JSON | st.lists(TURN, max_size=3), max_size=5)


def test_every_shape_has_a_name_in_the_config_and_a_sample_here() -> None:
    assert list(get_args(ShapeName)) == ["auto", *SHAPES]
    assert list(SAMPLES) == list(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_recognised_and_read(name: ShapeName) -> None:
    assert recognise(SAMPLES[name]) == name
    found, meta = converse(SAMPLES[name])
    turns = [SAID] if name == "text" else [ASKED, {**SAID, "content": SAMPLES[name].get("answer", "a")}]
    assert found.messages == turns
    assert found.answer == ("1234" if name == "gsm8k" else None)
    assert meta == {}
    assert converse(SAMPLES[name], name) == (found, meta)


def test_alpaca_puts_the_input_behind_the_instruction_and_the_system_prompt_first() -> None:
    found, _ = converse({"instruction": "Sort.", "input": "b a", "output": "a b", "system": "Be brief."})
    assert [m["content"] for m in found.messages] == ["Be brief.", "Sort.\n\nb a", "a b"]
    assert converse({"instruction": "Sort.", "input": None, "output": "a b"})[0].messages[0]["content"] == "Sort."


def test_sharegpt_knows_the_speakers_of_published_sets() -> None:
    said = [("system", "s"), ("human", "q"), ("gpt", "a"), ("observation", "o"), ("ChatGPT", "b")]
    found, _ = converse({"conversations": [{"from": who, "value": text, "weight": None} for who, text in said]})
    assert [m["role"] for m in found.messages] == ["system", "user", "assistant", "tool", "assistant"]


def test_prompt_and_completion_may_be_turns() -> None:
    assert converse({"prompt": [ASKED], "completion": [SAID]})[0].messages == [ASKED, SAID]


def test_lists_may_be_json_text_as_csv_holds_them() -> None:
    assert converse({"messages": json.dumps([ASKED, SAID])})[0].messages == [ASKED, SAID]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"conversations": [], "chosen": {}, "rejected": {}}, None),
        ({"text": "a", "role": "prompter", "message_id": "m"}, None),
        ({"question": "q", "golden": "18"}, None),
        ({"messages": [], "prompt": "p", "completion": "c"}, "messages"),
        ({"problem": "q", "solution": "s", "answer": "7"}, "math"),
    ],
)
def test_what_looks_alike_is_told_apart(row: dict[str, Any], name: str | None) -> None:
    assert recognise(row) == name


def test_other_short_columns_and_those_inside_meta_become_meta() -> None:
    row = {
        **SAMPLES["messages"],
        "id": 7,
        "level": "5",
        "long": "x" * 201,
        "list": [1],
        "none": None,
        "nan": float("nan"),
    }
    assert converse(row)[1] == {"id": 7, "level": "5"}
    assert converse({**SAMPLES["messages"], "meta": '{"family": "math"}'})[1] == {"family": "math"}
    assert converse({**SAMPLES["messages"], "meta": {"family": "math"}, "id": 1})[1] == {"family": "math", "id": 1}


@pytest.mark.parametrize(("given_answer", "answer"), [("7", "7"), (7, "7"), (None, None), (True, None), ([7], None)])
def test_an_answer_column_is_the_answer(given_answer: Any, answer: str | None) -> None:
    assert converse({**SAMPLES["messages"], "answer": given_answer})[0].answer == answer


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        (r"so $\boxed{12}$.", "12"),
        (r"\boxed{1} then \boxed{\left( 3, \frac{\pi}{2} \right)}", r"\left( 3, \frac{\pi}{2} \right)"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\fbox{7}", "7"),
        (r"$\boxed 9$", "9"),
        (r"\boxed{}", None),
        (r"\boxed{\frac{1}{2}", None),
        (r"\boxed", None),
        ("none", None),
    ],
)
def test_the_last_box_holds_the_answer(solution: str, answer: str | None) -> None:
    assert last_boxed(solution) == answer


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1], "wrong type: a row is a list, not an object with named columns"),
        (None, "wrong type: a row is null, not an object with named columns"),
        ({}, "no known shape: columns none"),
        ({"b": 1, "a": 2}, "no known shape: columns a, b"),
        ({"messages": "hi"}, "wrong type: 'messages' is text, not a list of turns"),
        ({"messages": [1]}, "wrong type: a turn is a number, not an object"),
        ({"messages": [{"role": "critic", "content": ""}]}, "unknown role: 'critic'"),
        ({"messages": [{"role": "user", "content": None}]}, "wrong type: 'content' is null, not text"),
        ({"messages": [{"role": "user"}]}, "no column: content"),
        ({"messages": [{}]}, "no column: from"),
        ({"conversations": [{"from": "human", "value": ["x"]}]}, "wrong type: 'value' is a list, not text"),
        ({"instruction": "i", "output": ["a", "b"]}, "wrong type: 'output' is a list, not text"),
        ({"prompt": 1, "completion": "c"}, "wrong type: 'prompt' is a number, not text"),
    ],
)
def test_a_row_that_does_not_fit_says_why(row: Any, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        converse(row)
    assert str(caught.value) == reason


def test_a_shape_asked_for_is_not_guessed_around() -> None:
    with pytest.raises(Unfit, match="no column: instruction"):
        converse(SAMPLES["messages"], "alpaca")


@settings(max_examples=300, deadline=None)
@given(row=JSON | ROW, shape=st.sampled_from(get_args(ShapeName)))
def test_any_json_gives_a_conversation_or_a_reason(row: Any, shape: ShapeName) -> None:
    try:
        found, meta = converse(row, shape)
    except Unfit as unfit:
        kind, _, _ = str(unfit).partition(":")
        assert kind in {"wrong type", "no known shape", "unknown role", "no column"}
        return
    assert all(isinstance(m["content"], str) for m in found.messages)
    json.dumps(meta, allow_nan=False)
