"""Faults planted in a few made rows, one of each source."""

from __future__ import annotations

import random

import pytest
from real_faults import FAULTS, NUMBERS, STRUCTURE, damage, final_answer, other_number
from real_text import CLEAN, SOURCES, Row

GSM8K = Row("gsm8k", "How many?", "He has 4+5=9 cups.\nHe breaks 2, so 9-2=7 cups are left.\n#### 7")
MATH = Row("math", "Find $x$.", "We know $x + 2 = 1{,}500$, so $x = 1498$. The answer is $\\boxed{1498}$ of 2000.")
ECQA = Row(
    "ecqa",
    "Where is a cup?\nOptions:\n- shelf\n- old car\n- sea Think first, and answer at the end:",
    "A cup is kept on a shelf. The sea is wet. So the final answer is shelf.",
)
STRATEGYQA = Row("strategyqa", "Is it so?", "Cats are small. No cat is a dog.\nSo the final answer is No.")
QASC = Row("qasc", "What?\nOptions:\n- (A) sun\n- (B) rain", "Rain is wet. Water is wet too. The answer: (B).")
CMATH = Row("cmath", "一共有多少？", "答案是18。")
OASST = Row("oasst_zh", "布洛芬是什么？", "布洛芬是一种药。它可以止痛。用量不能太大。")
EACH = [GSM8K, MATH, ECQA, STRATEGYQA, QASC, CMATH, OASST]
ROWS = EACH + [Row(row.source, f"{row.prompt} Once more.", f"First of all. {row.response}") for row in EACH]


def made(fault: str, row: Row, seed: int = 0) -> str | None:
    return FAULTS[fault](random.Random(seed), row, ROWS)


def test_every_source_has_a_row() -> None:
    assert [row.source for row in EACH] == list(SOURCES)


@pytest.mark.parametrize(
    ("row", "answer"), [(GSM8K, "7"), (MATH, "1498"), (ECQA, "shelf"), (STRATEGYQA, "No"), (QASC, "(B)"), (CMATH, "18")]
)
def test_the_final_answer_is_found(row: Row, answer: str) -> None:
    found = final_answer(row)
    assert found
    assert found.group() == answer
    assert answer not in row.response[found.end() :]


def test_a_free_text_has_no_final_answer() -> None:
    assert final_answer(OASST) is None
    assert made("wrong_final", OASST) is None


def test_a_wrong_final_number_is_said_in_the_last_step_too() -> None:
    text = made("wrong_final", GSM8K)
    assert text
    new = text.rpartition("#### ")[2]
    assert new != "7"
    assert text == f"He has 4+5=9 cups.\nHe breaks 2, so 9-2={new} cups are left.\n#### {new}"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (STRATEGYQA, "Cats are small. No cat is a dog.\nSo the final answer is Yes."),
        (QASC, "Rain is wet. Water is wet too. The answer: (A)."),
        (ECQA, "A cup is kept on a shelf. The sea is wet. So the final answer is old car."),
    ],
    ids=lambda x: getattr(x, "source", ""),
)
def test_a_wrong_choice_is_one_of_the_others(row: Row, wrong: str) -> None:
    assert made("wrong_final", row) == wrong


@pytest.mark.parametrize("old", ["7", "0", "1,500", "0.05", "12.50", "1,234,567"])
def test_another_number_is_written_the_same_way(old: str) -> None:
    for seed in range(30):
        new = other_number(random.Random(seed), old)
        assert new != old
        assert "-" not in new
        assert len(new.partition(".")[2]) == len(old.partition(".")[2])
        assert f"{float(new.replace(',', '')):,.{len(old.partition('.')[2])}f}".replace(",", "") == new.replace(",", "")


def test_a_wrong_step_leaves_the_last_step_alone() -> None:
    for seed in range(10):
        text = made("wrong_step", GSM8K, seed)
        assert text
        assert text != GSM8K.response
        assert text.partition("\n")[2] == GSM8K.response.partition("\n")[2]
        assert text.startswith("He has 4+5=")


def test_a_wrong_step_is_another_row_s_sentence_where_nothing_is_calculated() -> None:
    found = {made("wrong_step", ECQA, seed) for seed in range(20)}
    assert ECQA.response.replace("The sea is wet.", "First of all.") in found
    assert all(text and text.endswith("So the final answer is shelf.") for text in found)


def test_a_wrong_operator_changes_one_operator() -> None:
    found = {made("wrong_op", GSM8K, seed) for seed in range(20)}
    changed = {GSM8K.response.replace("4+5", "4-5"), GSM8K.response.replace("4+5", "4*5")}
    assert found == changed | {GSM8K.response.replace("9-2", "9+2")}


def test_a_word_is_turned_into_its_opposite() -> None:
    found = {made("wrong_op", OASST, seed) for seed in range(40)}
    assert OASST.response.replace("可以", "不可以") in found
    assert OASST.response.replace("不能", "不不能") in found


@pytest.mark.parametrize("fault", STRUCTURE)
@pytest.mark.parametrize("row", EACH, ids=lambda row: row.source)
def test_structure_is_broken_anywhere(fault: str, row: Row) -> None:
    text = made(fault, row)
    assert text
    assert text != row.response


def test_an_answer_in_another_language_is_in_another_language() -> None:
    assert made("offlang", OASST, 3) in [row.response for row in ROWS if row.source in ("gsm8k", "ecqa", "strategyqa")]
    assert OASST.response in {made("offlang", GSM8K, seed) for seed in range(20)}


def test_damage_is_spread_evenly_and_leaves_the_rest_alone() -> None:
    rows = [Row(row.source, f"{row.prompt} {n}", row.response) for n in range(20) for row in EACH]
    damaged = damage(rows, seed=0)
    faults = [row.fault for row in damaged]
    assert {faults.count(fault) for fault in FAULTS} <= {9, 10}
    assert faults.count(CLEAN) == len(rows) - int(0.6 * len(rows))
    assert all((new == old) == (new.fault == CLEAN) for new, old in zip(damaged, rows, strict=True))
    assert all((new.response != old.response) == (new.fault != CLEAN) for new, old in zip(damaged, rows, strict=True))
    assert damage(rows, seed=0) == damaged


def test_three_faults_change_little_and_six_much() -> None:
    assert len(NUMBERS) == 3
    assert len(STRUCTURE) == 6
