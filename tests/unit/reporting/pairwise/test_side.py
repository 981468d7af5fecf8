from __future__ import annotations

from paired_sides import side
from sluicegate.reporting.pairwise.side import in_common


def test_only_what_every_seed_was_asked_and_has_an_answer_counts() -> None:
    assert side("a", "10-1", "101").questions == {"q0", "q1"}
    assert in_common([side("a", "1111"), side("b", "-111"), side("c", "111")]) == ["q1", "q2"]


def test_right_is_the_share_of_the_seeds() -> None:
    found = side("a", "110", "100", "100", "100")
    assert [found.right(f"q{n}") for n in range(3)] == [1.0, 0.25, 0.0]
    assert found.values(["q1", "q2"]) == [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_a_reply_with_the_verdict_that_is_told_is_shown() -> None:
    found = side("a", "01", "10")
    assert [found.reply("q0", right)["correct"] for right in (True, False)] == [True, False]
    assert side("a", "0").reply("q0", True)["correct"] is False
