from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.shapes import Conversation, Found, Unfit
from sluicegate.data.shapes.tree import OasstFlat, OasstTree

#        q ─┬─ a (1) ─┬─ b ─── c (0)
#           │         └─ d
#           └─ e (0) ─── f ─── g (deleted)
ROWS: list[dict[str, Any]] = [
    {"message_id": "q", "parent_id": None, "role": "prompter"},
    {"message_id": "a", "parent_id": "q", "role": "assistant", "rank": 1},
    {"message_id": "b", "parent_id": "a", "role": "prompter"},
    {"message_id": "c", "parent_id": "b", "role": "assistant", "rank": 0},
    {"message_id": "d", "parent_id": "a", "role": "prompter"},
    {"message_id": "e", "parent_id": "q", "role": "assistant", "rank": 0, "lang": "zh", "synthetic": True},
    {"message_id": "f", "parent_id": "e", "role": "prompter"},
    {"message_id": "g", "parent_id": "f", "role": "assistant", "rank": 0, "deleted": True},
]
ROWS = [{"lang": "en", "deleted": False, "synthetic": False, "message_tree_id": "q", **row} for row in ROWS]
ROWS = [{**row, "text": row["message_id"]} for row in ROWS]


def nested(name: str = "q") -> dict[str, Any]:
    (row,) = (row for row in ROWS if row["message_id"] == name)
    return {**row, "replies": [nested(reply["message_id"]) for reply in ROWS if reply["parent_id"] == name]}


def flat(rows: list[dict[str, Any]], **options: Any) -> tuple[dict[str, tuple[int, ...]], dict[int, str]]:
    """Each conversation as a word with the rows it draws on, and the reasons of the rows on none."""
    found = list(OasstFlat().read_all(rows, OasstFlat.Config(**options)))
    made = {word(f): f.rows for f in found if isinstance(f.read, Conversation)}
    return made, {f.rows[-1]: str(f.read).partition(":")[0] for f in found if isinstance(f.read, Unfit)}


def word(found: Found) -> str:
    assert isinstance(found.read, Conversation)
    return "".join(m["content"] for m in found.read.messages)


def test_every_path_ends_at_a_last_reply_and_every_other_row_says_why() -> None:
    made, left = flat(ROWS)
    assert made == {"qabc": (0, 1, 2, 3), "qe": (0, 5)}
    assert left == {4: "unanswered", 6: "unanswered", 7: "deleted"}


def test_rows_may_come_in_any_order() -> None:
    made, left = flat(ROWS[::-1])
    assert made == {"qabc": (7, 6, 5, 4), "qe": (7, 2)}
    assert left == {3: "unanswered", 1: "unanswered", 0: "deleted"}


def test_the_best_path_takes_the_best_ranked_reply_at_each_message() -> None:
    made, left = flat(ROWS, paths="best")
    assert made == {"qe": (0, 5)}
    assert left == {
        **dict.fromkeys((1, 2, 3, 4), "not the best path"),
        6: "unanswered",
        7: "deleted",
    }
    unranked = [{**row, "rank": None if row["message_id"] == "e" else row.get("rank")} for row in ROWS]
    assert list(flat(unranked, paths="best")[0]) == ["qabc"]


def test_what_a_model_wrote_and_other_languages_are_left_out_where_asked_for() -> None:
    made, left = flat(ROWS, synthetic="drop")
    assert (list(made), left[5], left[6]) == (["qabc"], "synthetic", "synthetic")
    made, left = flat(ROWS, langs=["en"])
    assert (list(made), left[5], left[6]) == (["qabc"], "other language", "other language")


def test_a_message_without_a_parent_stands_on_no_path() -> None:
    made, left = flat(ROWS[1:])
    assert made == {}
    assert set(left.values()) == {"no parent"}
    assert flat([ROWS[0], ROWS[1], ROWS[1]]) == ({"qa": (0, 1)}, {2: "same message"})


def test_messages_that_reply_to_each_other_in_a_ring_are_not_followed() -> None:
    ring = [{**ROWS[1], "parent_id": "b"}, {**ROWS[2], "parent_id": "a"}]
    assert flat(ring) == ({}, {0: "no parent", 1: "no parent"})


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"role": "critic"}, "unknown role"), ({"text": None}, "wrong type"), ({"deleted": True}, "deleted")],
)
def test_a_message_that_cannot_be_used_takes_its_replies_along(change: dict[str, Any], reason: str) -> None:
    made, left = flat([ROWS[0], {**ROWS[1], **change}, *ROWS[2:]])
    assert list(made) == ["qe"]
    assert {left[n] for n in (1, 2, 3, 4)} == {reason}


def test_a_whole_tree_gives_the_same_conversations() -> None:
    shape = OasstTree()
    found = list(shape.read_all([{"message_tree_id": "q", "prompt": nested()}], shape.Config()))
    assert [(word(f), f.rows) for f in found] == [("qabc", (0,)), ("qe", (0,))]
    as_text = list(shape.read_all([{"message_tree_id": "q", "prompt": json.dumps(nested())}], shape.Config()))
    assert as_text == found
    assert isinstance(found[1].read, Conversation)
    assert found[1].read.meta == {"message_id": "e", "rank": 0, "synthetic": True}


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ({"role": "prompter", "text": "q", "replies": []}, "unanswered"),
        ({"role": "prompter", "text": "q", "replies": None}, "unanswered"),
        ({**nested(), "deleted": True}, "deleted"),
        ("q", "wrong type: a message of a tree is text, not an object"),
        ({"role": "prompter", "text": "q", "replies": ["a"]}, "wrong type: a message of a tree is text"),
        ({"role": "prompter", "text": "q", "replies": "a"}, "wrong type: 'replies' is text"),
    ],
)
def test_a_tree_without_a_path_says_why(prompt: Any, reason: str) -> None:
    shape = OasstTree()
    (found,) = shape.read_all([{"message_tree_id": "q", "prompt": prompt}], shape.Config())
    assert str(found.read).startswith(reason)


def test_a_deep_tree_is_read() -> None:
    tree: dict[str, Any] = {"role": "assistant", "text": "a"}
    for _ in range(3000):
        tree = {"role": "prompter", "text": "q", "replies": [{"role": "assistant", "text": "a", "replies": [tree]}]}
    (found,) = OasstTree().read_all([{"message_tree_id": "q", "prompt": tree}], OasstTree.Config())
    assert len(found.read.messages) == 6001  # type: ignore[union-attr]


NAME = st.sampled_from("abcde")
MESSAGE = st.fixed_dictionaries(
    {
        "message_id": NAME,
        "parent_id": st.none() | NAME,
        "message_tree_id": st.just("t"),
        "role": st.sampled_from(["prompter", "assistant", "critic"]),
        "text": st.sampled_from(["x", "y"]) | st.none(),
    },
    optional={"deleted": st.booleans(), "rank": st.none() | st.integers(0, 2)},
)


@given(rows=st.lists(MESSAGE, min_size=1, max_size=8), paths=st.sampled_from(["all", "best"]))
def test_no_row_of_any_tree_is_lost(rows: list[dict[str, Any]], paths: str) -> None:
    found = list(OasstFlat().read_all(rows, OasstFlat.Config(paths=paths)))  # type: ignore[arg-type]
    assert {n for f in found for n in f.rows} == set(range(len(rows)))
    ends = [f.rows[-1] for f in found]
    assert len(ends) == len(set(ends))
    for f in found:
        if isinstance(f.read, Conversation):
            assert f.read.messages[-1]["role"] == "assistant"
            assert not any(rows[n].get("deleted") for n in f.rows)
