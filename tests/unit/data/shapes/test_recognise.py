from __future__ import annotations

from typing import Any

import pytest

from rows_of_shapes import ANSWER, ASKED, ROWS, SAID
from sluicegate.data.shapes import Conversation, Found, Preference, Several, Unfit, config_of, extras, find
from sluicegate.errors import UnknownName
from sluicegate.registry import SHAPES


def test_there_is_a_row_of_every_shape() -> None:
    assert sorted(ROWS) == SHAPES.names()


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_every_shape_is_recognised_and_read(name: str) -> None:
    row = ROWS[name]
    shape = find(row)
    assert (shape.name, find(row, name)) == (name, shape)
    if isinstance(shape, Several):
        found = next(shape.read_all([row], config_of(shape))).read
    else:
        found = shape.read(row, config_of(shape))
    if isinstance(found, Preference):
        assert (found.prompt, found.chosen) == ([ASKED], [SAID])
        assert found.rejected not in ([], [SAID])
    elif name == "oasst_flat":  # a root alone
        assert isinstance(found, Unfit)
    else:
        assert isinstance(found, Conversation)
        assert [m["content"].split("\n")[0] for m in found.messages] == (["q", "a"] if name != "text" else ["a"])
        assert found.answer == ANSWER.get(name)
    assert isinstance(found, Conversation | Preference | Unfit)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"messages": [], "prompt": "p", "completion": "c"}, "prompt_completion"),
        ({"problem": "q", "solution": "s", "answer": "7"}, "math"),
        ({"question": "q", "answer": "a\n#### 7", "id": 1}, "gsm8k"),
        ({"conversations": [], "source": "x", "system_prompt": None}, "sharegpt"),
        ({"dataset": "mgsm-zh", "id": "0", "messages": [ASKED, SAID], "answer": "1"}, "less"),
        ({"chosen": [ASKED, SAID], "rejected": [ASKED, SAID]}, "preference"),
        ({"chosen": "blue", "rejected": "green", "prompt": "The sky is"}, "preference"),
    ],
)
def test_what_looks_alike_is_told_apart(row: dict[str, Any], name: str) -> None:
    assert find(row).name == name


@pytest.mark.parametrize(
    ("row", "shape", "reason"),
    [
        ([1], "auto", "wrong type: a row is a list, not an object with named columns"),
        (None, "auto", "wrong type: a row is null, not an object with named columns"),
        ({}, "auto", "no known shape: columns none"),
        ({"b": 1, "a": 2}, "auto", "no known shape: columns a, b"),
        ({"conversations": [], "rejected": {}}, "auto", "no known shape: columns conversations, rejected"),
        ({"text": "a", "role": "prompter"}, "auto", "no known shape: columns role, text"),
        ({"messages": []}, "alpaca", "no column: instruction"),
    ],
)
def test_a_row_of_no_shape_says_why(row: Any, shape: str, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        find(row, shape)
    assert str(caught.value) == reason


def test_a_shape_that_is_not_there_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="no shape named 'alpca'") as caught:
        find({}, "alpca")
    assert caught.value.hint == "did you mean 'alpaca'?"


def test_other_short_columns_and_those_inside_meta_become_meta() -> None:
    row = {
        "messages": [],
        "id": 7,
        "level": "5",
        "answer": "7",
        "long": "x" * 201,
        "list": [1],
        "none": None,
        "nan": float("nan"),
    }
    shape = find(row)
    assert extras(row, shape) == {"id": 7, "level": "5"}
    assert extras({"messages": [], "meta": '{"family": "math"}'}, shape) == {"family": "math"}
    assert extras({"messages": [], "meta": {"family": "math"}, "id": 1}, shape) == {"family": "math", "id": 1}
    assert extras({"messages": [], "meta": "plain words"}, shape) == {"meta": "plain words"}


def test_options_of_another_shape_are_not_its_own() -> None:
    gsm8k, math = (find(ROWS[name]) for name in ("gsm8k", "math"))
    options = gsm8k.Config(marks="drop")  # type: ignore[call-arg]
    assert config_of(gsm8k, options) is options
    assert config_of(math, options) == math.Config()


def test_found_names_the_rows_it_draws_on() -> None:
    assert Found(Unfit("x"), (0, 2)).rows[-1] == 2
