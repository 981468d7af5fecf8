from __future__ import annotations

from sluicegate.data.exclude import Exclude


def test_the_reason_names_the_first_table_that_holds_the_conversation() -> None:
    exclude = Exclude({"test": ["a" * 16], "trusted": ["a" * 16, "b" * 16]})
    assert exclude.reason("a" * 16) == "in the test rows"
    assert exclude.reason("b" * 16) == "in the trusted rows"
    assert exclude.reason("c" * 16) == ""


def test_copies_are_the_same_conversation() -> None:
    assert Exclude({"test": ["a" * 16 + ".2"]}).reason("a" * 16 + ".3") == "in the test rows"


def test_nothing_excludes_nothing() -> None:
    assert Exclude({}).reason("a" * 16) == ""
