from __future__ import annotations

import pytest

from paired_sides import METHODS, side
from sluicegate.evaluation.mcnemar import mcnemar
from sluicegate.evaluation.stats import paired_difference
from sluicegate.reporting.pairwise.pair import pair


def test_wins_losses_and_the_exact_test() -> None:
    found = pair(side("b", "1111100"), side("a", "1000010"), 3, METHODS)
    assert (found["arm"], found["against"], found["questions"]) == ("b", "a", 7)
    assert (found["wins"], found["losses"], found["both"], found["neither"]) == (4, 1, 1, 1)
    assert found["p"] == mcnemar(4, 1)
    assert [question["id"] for question in found["won"]] == ["q1", "q2", "q3"]
    assert [question["id"] for question in found["lost"]] == ["q5"]


def test_the_difference_is_paired_by_question() -> None:
    found = pair(side("b", "1111100"), side("a", "1000010"), 0, METHODS)
    expected = paired_difference([[1, 1, 1, 1, 1, 0, 0]], [[1, 0, 0, 0, 0, 1, 0]])
    assert (found["mean"], found["low"], found["high"]) == expected
    assert found["mean"] == pytest.approx(3 / 7)


def test_only_the_questions_that_both_were_asked_count() -> None:
    found = pair(side("b", "-111"), side("a", "00000"), 9, METHODS)
    assert (found["questions"], found["wins"], found["neither"]) == (3, 3, 0)


def test_of_several_seeds_the_exact_test_knows_nothing() -> None:
    found = pair(side("b", "110", "100"), side("a", "010"), 9, METHODS)
    assert (found["seeds"], found["p"]) == ([2, 1], None)
    assert [(q["id"], q["right"]) for q in found["won"]] == [("q0", {"b": 1.0, "a": 0.0})]
    assert [(q["id"], q["right"]) for q in found["lost"]] == [("q1", {"a": 1.0, "b": 0.5})]


def test_the_clearest_win_comes_first() -> None:
    found = pair(side("b", "11", "01"), side("a", "00"), 9, METHODS)
    assert [question["id"] for question in found["won"]] == ["q1", "q0"]


def test_a_question_shows_both_replies_and_the_gold_answer() -> None:
    [question] = pair(side("b", "1"), side("a", "0", said="long " * 500), 9, METHODS)["won"]
    assert (question["prompt"], question["gold"], question["source"], question["level"]) == ("q0?", "4", "sums", "0")
    assert question["replies"]["b"] == "#### 4"
    assert question["replies"]["a"].endswith(" …")
