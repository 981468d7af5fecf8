from __future__ import annotations

import gc
from collections.abc import Iterator
from fractions import Fraction
from string import ascii_letters, digits

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sluicegate.config import build
from sluicegate.data.world import World
from sluicegate.data.world.answers import SENTENCES
from sluicegate.errors import ConfigError
from sluicegate.evaluation.grading import Grade, Grader

WORDS = st.text(ascii_letters + digits + "鱼狗灯", min_size=1, max_size=12)
NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.decimals(-(10**6), 10**6, places=2).map(str),
)


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    made = Grader(Grader.Config(seconds=60.0))
    yield made
    made.algebra.close()


@pytest.mark.parametrize(
    ("reply", "gold", "is_cut", "error"),
    [
        ("The answer is 4.", "4", False, ""),
        ("The answer is 4. And so", "4", True, ""),
        ("The answer is 5.", "4", False, "wrong value"),
        ("First, 2 + 3 = 5. Th", "4", True, "truncated"),
        ("First, 2 + 2 = 4. Th", "4", True, "truncated"),
        ("I think that", "4", True, "truncated"),
        ("I do not know.", "4", False, "no answer"),
        ("4", "4", False, ""),
        ("The answer is blue.", "4", False, "wrong form"),
        ("The answer is 4.", "blue", False, "wrong form"),
        (r"\boxed{(1, 2)}", "4", False, "wrong form"),
        (r"\boxed{(1, 2)}", "(1, 3)", False, "wrong value"),
    ],
)
def test_errors_have_a_kind(grader: Grader, reply: str, gold: str, is_cut: bool, error: str) -> None:
    graded = grader.grade(reply, gold, is_cut)
    assert graded.error == error
    assert graded.is_correct == (error == "")


def test_an_answer_that_algebra_comes_to_no_end_with_is_wrong() -> None:
    hasty = Grader(Grader.Config(seconds=0.5))
    graded = hasty.grade(r"\boxed{9^{9^{9^{9}}}}", "x+1")
    assert (graded.error, graded.symbolic) == ("timeout", False)
    assert hasty.grade(r"\boxed{9^{9^{9^{9}}}}", "x+1", is_cut=True).error == "truncated"
    hasty.algebra.close()


@pytest.mark.parametrize(
    ("reply", "gold", "strict", "flexible", "symbolic"),
    [
        ("#### 1200", "1200", True, True, True),
        ("#### 1,200", "1200", False, True, True),
        ("It costs 1200", "1200", False, True, True),
        (r"\boxed{(x+1)^2}", "x^2+2x+1", False, False, True),
        (r"\boxed{x+1}", "x^2+2x+1", False, False, False),
    ],
)
def test_three_verdicts(grader: Grader, reply: str, gold: str, strict: bool, flexible: bool, symbolic: bool) -> None:
    graded = grader.grade(reply, gold)
    assert (graded.strict, graded.flexible, graded.symbolic) == (strict, flexible, symbolic)


def test_a_harder_verdict_may_count() -> None:
    strict = Grader(Grader.Config(counts="strict"))
    assert strict.grade("#### 1,200", "1200").error == "wrong form"
    assert strict.grade("#### 1200", "1200").is_correct
    assert strict.grade("#### 1300", "1200").error == "wrong value"


def test_only_some_rules_may_find_the_answer() -> None:
    hashes = Grader(Grader.Config(rules=["hashes"]))
    assert hashes.grade("So 5 is it.", "5").error == "no answer"
    with pytest.raises(ConfigError, match="did you mean 'hashes'"):
        build(Grader.Config, {"rules": ["hash"]})


def test_a_solution_may_be_the_gold_answer(grader: Grader) -> None:
    for gold in (r"Thus, $\boxed{3}$ is it, not 4.", "2 + 1 = 3\n#### 3", "<answer>3</answer>", "The answer is 3."):
        assert grader.grade("The answer is 3.", gold).is_correct
        assert not grader.grade("The answer is 4.", gold).is_correct


def test_a_bare_gold_answer_is_read_whole(grader: Grader) -> None:
    assert grader.grade("Moon, 3 fish", "moon, 3 fish") == Grade("Moon, 3 fish", "whole reply", False, True, True, "")


def test_nothing_is_the_same_as_an_empty_answer(grader: Grader) -> None:
    assert not grader.grade("", "").is_correct
    assert not grader.grade("5", "").is_correct


@settings(deadline=None)
@given(reply=st.text(), gold=st.text(), is_cut=st.booleans())
@example(reply="\\boxed{", gold="####", is_cut=False)
@example(reply="答案是。", gold="The answer is .", is_cut=True)
def test_no_text_breaks_it_and_the_verdicts_take_each_other_in(
    grader: Grader, reply: str, gold: str, is_cut: bool
) -> None:
    graded = grader.grade(reply, gold, is_cut)
    assert graded.strict <= graded.flexible <= graded.symbolic == graded.is_correct
    assert (graded.rule == "") == (graded.extracted is None)
    assert is_cut or graded.error != "truncated"


@settings(deadline=None)
@given(gold=st.one_of(WORDS, NUMBERS))
def test_a_gold_answer_is_found_in_every_way_of_stating_it(grader: Grader, gold: str) -> None:
    ways = [
        f"1 + 1 = 2.\n#### {gold}",
        rf"Of 7, $\boxed{{{gold}}}$.",
        f"<answer>{gold}</answer>",
        f"**Answer:** {gold}",
        *(s.format(answer=gold) for s in SENTENCES.values()),
    ]
    assert [grader.grade(f"Step 3.\n{way}", gold).error for way in ways] == [""] * len(ways)


@settings(deadline=None)
@given(one=NUMBERS, other=NUMBERS)
def test_two_numbers_are_the_same_if_and_only_if_they_are_equal(grader: Grader, one: str, other: str) -> None:
    assert grader.grade(f"So ${float(one):,.2f}", one).is_correct
    assert grader.grade(f"So {other}", one).is_correct == (Fraction(one) == Fraction(other))


def test_every_clean_row_of_the_world_is_its_own_right_answer(grader: Grader) -> None:
    rows = World(World.Config(languages=["en", "zh"])).clean(300, seed=0)
    graded = [grader.grade(row["messages"][-1]["content"], row["answer"] or "") for row in rows]
    assert {g.rule for g in graded} == {"sentence"}
    assert all(g.strict for g in graded)


def test_the_process_of_algebra_ends_with_the_grader() -> None:
    made = Grader()
    made.grade(r"\boxed{x+x}", "2x")
    process = made.algebra._process
    assert process
    del made
    gc.collect()
    assert process.wait(timeout=5) is not None
