from __future__ import annotations

from sluicegate.data.exclude import Exclude
from sluicegate.schema import Message, Record, make_pair, make_record


def turns(*said: str) -> list[Message]:
    return [Message(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(said)]


def record(*said: str) -> Record:
    return make_record(turns(*said), "s", "en")


ONE, TWO, THREE = record("q", "a"), record("q", "b"), record("r", "a")


def test_the_reason_names_the_first_table_that_holds_the_conversation() -> None:
    exclude = Exclude({"test": [ONE["id"]], "trusted": [ONE["id"], TWO["id"]]})
    assert [exclude.reason(row) for row in (ONE, TWO, THREE)] == ["in the test rows", "in the trusted rows", ""]


def test_copies_are_the_same_conversation() -> None:
    copy = Record(**{**ONE, "id": f"{ONE['id']}.3"})
    assert Exclude({"test": [f"{ONE['id']}.2"]}).reason(copy) == "in the test rows"


def test_a_pair_is_known_by_either_of_its_conversations() -> None:
    asked, a, b = turns("q"), turns("q", "a")[1:], turns("q", "b")[1:]
    for chosen, rejected in ((a, b), (b, a)):
        assert (
            Exclude({"test": [ONE["id"]]}).reason(make_pair(asked, chosen, rejected, "s", "en")) == "in the test rows"
        )
    assert Exclude({"test": [THREE["id"]]}).reason(make_pair(asked, a, b, "s", "en")) == ""


def test_nothing_excludes_nothing() -> None:
    assert Exclude({}).reason(ONE) == ""
