from __future__ import annotations

import pytest

from sluicegate.data.clean.turns import Turns
from sluicegate.schema import Message

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}


def conversation(roles: str) -> list[Message]:
    return [Message(role=ROLES[r], content=f"{r}{n}") for n, r in enumerate(roles)]


def step(**options: object) -> Turns:
    return Turns(Turns.Config.model_validate(options))


@pytest.mark.parametrize("roles", ["ua", "sua", "uaua", "uata", "uatta", "a", "sa"])
def test_in_order(roles: str) -> None:
    assert step().reason(conversation(roles), "en") == ""
    assert step(same_role="merge", ends="cut").turns(conversation(roles)) == conversation(roles)


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        ("usa", "a system turn that is not the first"),
        ("ssua", "a system turn that is not the first"),
        ("uua", "two user turns in a row"),
        ("uaa", "two assistant turns in a row"),
        ("aua", "begins with assistant"),
        ("sta", "begins with tool"),
        ("uau", "ends with user"),
        ("uat", "ends with tool"),
        ("s", "begins with the system"),
    ],
)
def test_out_of_order(roles: str, reason: str) -> None:
    assert step().reason(conversation(roles), "en") == f"turn order: {reason}"


def test_turns_of_one_role_are_merged_but_not_those_of_tools() -> None:
    merge = step(same_role="merge")
    merged = merge.turns(conversation("uuatta"))
    assert [m["content"] for m in merged] == ["u0\n\nu1", "a2", "t3", "t4", "a5"]
    assert merge.counts == {"turns merged": 1}
    assert merge.reason(merged, "en") == ""


@pytest.mark.parametrize(("roles", "left"), [("saauau", "sua"), ("aua", "ua"), ("uat", "ua"), ("uu", "uu"), ("au", "")])
def test_the_ends_are_cut(roles: str, left: str) -> None:
    cut = step(ends="cut")
    assert [m["content"][0] for m in cut.turns(conversation(roles))] == list(left)
    assert cut.counts["turns cut"] == len(roles) - len(left)
