from __future__ import annotations

from string import ascii_letters, digits

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluicegate.data.world import World
from sluicegate.data.world.answers import SENTENCES
from sluicegate.evaluation.grading import Grade, extract, grade, is_same, normalize_answer

WORDS = st.text(ascii_letters + digits + "鱼狗灯", min_size=1, max_size=12)
NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.decimals(-(10**6), 10**6, places=2).map(str),
)


@pytest.mark.parametrize(
    ("reply", "rule", "answer"),
    [
        (r"So \boxed{\frac{1}{2}}, and not 7.", "boxed", r"\frac{1}{2}"),
        ("16 - 3 = 13\n#### 13", "hashes", "13"),
        ("#### 12\nNo, wait.\n#### $1,300 ", "hashes", "$1,300"),
        ("2 + 2 = 4. The answer is 4.", "sentence", "4"),
        ("The answer is 3. No: The answer is moon, fish.", "sentence", "moon, fish"),
        ("第一项是小鸟。答案是小鸟。", "sentence", "小鸟"),
        ("It takes 3 steps to 4,500.50 metres", "last number", "4,500.50"),
        ("共 １２ 个", "last number", "12"),
        ("from 7 to -3", "last number", "-3"),
        ("5-3", "last number", "3"),
        ("I cannot tell.", "", None),
        ("", "", None),
        ("####\n", "", None),
    ],
)
def test_a_reply_is_read_by_the_first_rule_that_finds_an_answer(reply: str, rule: str, answer: str | None) -> None:
    assert extract(reply) == (rule, answer)


def test_explicit_marks_come_before_sentences_and_sentences_before_numbers() -> None:
    parts = ["Then 9.", "The answer is 8.", "#### 7", r"\boxed{6}"]
    read = [extract("\n".join(parts[: n + 1])) for n in range(4)]
    assert read == [("last number", "9"), ("sentence", "8"), ("hashes", "7"), ("boxed", "6")]
    assert extract("\n".join(reversed(parts))) == ("boxed", "6"), "wherever they stand"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1200", "1,200"),
        ("1200", "$1,200.00"),
        ("1200", "￥１２００"),
        ("18", "**18**."),
        ("0", "-0.0"),
        ("5", "+5"),
        ("0.5", "0.50"),
        ("Blue", " blue. "),
        ("Blue whale", "blue  whale"),
        ("moon, fish", "Moon, fish"),
        ("小鸟", "小鸟。"),
        ("$10$", "10"),
        ("1234567", "1,234,567"),
    ],
)
def test_spellings_of_one_answer_are_the_same(one: str, other: str) -> None:
    assert is_same(one, other)
    assert is_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("18", "180"),
        ("5", "-5"),
        ("1.5", "15"),
        ("0.05", "0.5"),
        ("12", "1,2"),
        ("x²", "x2"),
        ("blue", "red"),
        ("", ""),
    ],
)
def test_other_answers_are_not(one: str, other: str) -> None:
    assert not is_same(one, other)


@pytest.mark.parametrize(
    ("reply", "is_cut", "error"),
    [
        ("The answer is 4.", False, ""),
        ("The answer is 4. And so", True, ""),
        ("The answer is 5.", False, "wrong answer"),
        ("First, 2 + 3 = 5. Th", True, "cut"),
        ("I think that", True, "cut"),
        ("I do not know.", False, "no answer"),
        ("4", False, ""),
    ],
)
def test_errors_have_a_kind(reply: str, is_cut: bool, error: str) -> None:
    graded = grade(reply, "4", is_cut)
    assert graded.error == error
    assert graded.is_correct == (error == "")


def test_a_bare_gold_answer_is_read_whole() -> None:
    assert grade("Moon, 3 fish", "moon, 3 fish") == Grade("Moon, 3 fish", "whole reply", "")


@given(st.text(), st.text(), st.booleans())
@example("\\boxed{", "####", False)
@example("答案是。", "The answer is .", True)
def test_no_text_breaks_it_and_only_an_empty_error_is_correct(reply: str, gold: str, is_cut: bool) -> None:
    graded = grade(reply, gold, is_cut)
    assert graded.is_correct == (graded.extracted is not None and is_same(graded.extracted, gold))
    assert (graded.rule == "") == (graded.extracted is None)
    assert is_cut or graded.error != "cut"


@given(st.text(min_size=1).filter(normalize_answer))
def test_a_gold_answer_against_itself_is_correct(gold: str) -> None:
    assert grade(gold, gold).is_correct


@given(st.one_of(WORDS, NUMBERS))
def test_a_gold_answer_is_found_in_every_way_of_stating_it(gold: str) -> None:
    ways = [
        f"1 + 1 = 2.\n#### {gold}",
        rf"Of 7, $\boxed{{{gold}}}$.",
        *(s.format(answer=gold) for s in SENTENCES.values()),
    ]
    assert [grade(f"Step 3.\n{way}", gold).error for way in ways] == [""] * len(ways)


@given(NUMBERS, NUMBERS)
def test_two_numbers_are_the_same_if_and_only_if_they_are_equal(one: str, other: str) -> None:
    assert is_same(f"${float(one):,.2f}", one)
    assert is_same(one, other) == (float(one) == float(other))


@given(st.text())
def test_normalising_numbers_and_case_is_done_in_one_go(text: str) -> None:
    once = normalize_answer(text)
    assert normalize_answer(f"  {text}\n") == once


def test_every_clean_row_of_the_world_is_its_own_right_answer() -> None:
    rows = World(World.Config(languages=["en", "zh"])).clean(300, seed=0)
    assert {grade(row["messages"][-1]["content"], row["answer"] or "").rule for row in rows} == {"sentence"}
    assert all(grade(row["messages"][-1]["content"], row["answer"] or "").is_correct for row in rows)
