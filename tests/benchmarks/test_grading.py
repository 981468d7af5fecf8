"""The grader holds its bars on the published cases, where these are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from grading import BARS, as_formula, by_math_verify, measured, read, worst_of_junk

from sluicegate.evaluation.grading import Grader

CASES = Path(__file__).parents[3] / "shared/data/grader"


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    made = Grader(Grader.Config(seconds=10.0))
    yield made
    made.algebra.close()


@pytest.mark.slow
@pytest.mark.skipif(not CASES.is_dir(), reason="the answer-grading cases are not here")
@pytest.mark.parametrize("name", BARS)
def test_the_bar_is_held(grader: Grader, name: str) -> None:
    found = measured(read(CASES / f"{name}.jsonl"), lambda reply, gold: grader.grade(reply, gold).is_correct)
    assert found.right >= BARS[name], found.wrong


@pytest.mark.slow
def test_junk_neither_breaks_nor_stops_it() -> None:
    grader = Grader(Grader.Config(seconds=2.0))
    assert worst_of_junk(grader, 300) < 10
    grader.algebra.close()


def test_cases_that_are_disputed_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b", "contested": ["policy"]}\n', encoding="utf-8")
    assert [row["id"] for row in read(path)] == ["a"]


def test_what_is_wrong_is_named() -> None:
    rows = [{"id": str(n), "gold": "1", "prediction_text": str(n % 2), "expected_equal": n < 2} for n in range(4)]
    found = measured(rows, lambda reply, gold: reply == gold)
    assert (found.right, found.wrong) == (0.5, ["0", "3"])


def test_math_verify_reads_a_bare_answer_as_a_formula() -> None:
    assert as_formula(r"\frac12") == r"$\frac12$"
    assert as_formula("$1$ or so") == "$1$ or so"
    assert by_math_verify(r"\frac12", "0.5")
