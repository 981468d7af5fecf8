from __future__ import annotations

import pytest

from paired_sides import METHODS, side
from sluicegate.reporting.costs import Cost
from sluicegate.reporting.pairwise import Comparison, compare


def test_all_numbers_are_of_the_questions_in_common(comparison: Comparison) -> None:
    assert comparison["questions"] == 3
    assert comparison["asked"] == {"base": 4, "tuned": 4, "twice": 3}
    shares = {arm["arm"]: arm["accuracy"] for arm in comparison["arms"]}
    assert shares == {"base": pytest.approx(2 / 3), "tuned": pytest.approx(2 / 3), "twice": pytest.approx(2 / 3)}
    assert [arm["seeds"] for arm in comparison["arms"]] == [1, 1, 2]


def test_a_pair_counts_all_that_the_two_were_asked(comparison: Comparison) -> None:
    assert [(pair["arm"], pair["against"], pair["questions"]) for pair in comparison["pairs"]] == [
        ("tuned", "base", 4),
        ("twice", "base", 3),
    ]


def test_parts_are_told_where_there_are_several(comparison: Comparison) -> None:
    told = [(part["part"], part["name"], part["questions"]) for part in comparison["parts"]]
    assert told == [("level", "0", 2), ("level", "1", 1)], "there is one source, and no type"
    assert comparison["parts"][0]["accuracy"] == {"base": 0.5, "tuned": 1.0, "twice": 0.75}


def test_verdicts_failures_lengths_past_and_costs() -> None:
    dear = side("dear", "10", "11", cost=Cost(20.0, 3000), truncated=True, n_tokens=9, seen=True)
    plain = side("plain", "10", extracted=None)
    told, other = compare([dear, plain], "plain", 0, METHODS)["arms"]
    assert [told[name] for name in ("accuracy", "strict", "truncated", "no_answer", "tokens")] == [0.75, 0.75, 1, 0, 9]
    assert (told["seen"], told["training_seconds"], told["training_tokens"]) == (2, 20.0, 3000)
    assert (other["no_answer"], other["truncated"]) == (1, 0)
    assert (other["seen"], other["training_seconds"], other["training_tokens"]) == (None, None, None)


def test_arms_without_a_question_in_common() -> None:
    found = compare([side("a", "11--"), side("b", "--01"), side("c", "0110")], "c", 5, METHODS)
    assert (found["questions"], found["parts"]) == (0, [])
    assert [(pair["arm"], pair["questions"], pair["wins"]) for pair in found["pairs"]] == [("a", 2, 1), ("b", 2, 1)]
    assert compare([side("a", "1-"), side("b", "-1")], "a", 5, METHODS)["pairs"] == []


def test_without_a_baseline_nothing_is_set_against_it() -> None:
    found = compare([side("a", "10"), side("b", "11")], "nobody", 5, METHODS)
    assert (len(found["arms"]), found["pairs"]) == (2, [])
