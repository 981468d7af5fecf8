from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from sluicegate.evaluation.grading.algebra import Algebra, OutOfTime

SECONDS = 1.0
ENDLESS = "9^{9^{9^{9}}}"


@pytest.fixture(params=[60.0])
def algebra(request: pytest.FixtureRequest) -> Iterator[Algebra]:
    made = Algebra(seconds=request.param)
    yield made
    made.close()


def test_it_knows_what_is_equal_and_what_is_not(algebra: Algebra) -> None:
    assert algebra.is_equal("(x+1)^2", "x^2+2x+1")
    assert not algebra.is_equal("(x+1)^2", "x^2+2x")


@pytest.mark.slow
@pytest.mark.parametrize("algebra", [SECONDS], indirect=True)
def test_what_never_ends_is_killed_and_the_next_question_is_answered(algebra: Algebra) -> None:
    assert algebra.is_equal("x+x", "2x")
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        algebra.is_equal(ENDLESS, "x+1")
    assert time.monotonic() - began >= 0.9 * SECONDS
    assert algebra.is_equal("y+y", "2y"), "another process"
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        algebra.is_equal(ENDLESS, "x+1")
    assert time.monotonic() - began < 0.1, "it is remembered"


def test_a_child_that_died_between_two_questions_is_replaced(algebra: Algebra) -> None:
    assert algebra.is_equal("x+x", "2x")
    os.kill(algebra._child[0], signal.SIGKILL)
    with pytest.raises(OutOfTime):
        algebra.is_equal("z+z", "2z")
    assert algebra.is_equal("y+y", "2y"), "and the answer that comes late is no answer to this"
    assert not algebra.is_equal("y+y", "3y")


def test_no_text_gets_between_question_and_answer(algebra: Algebra) -> None:
    for text in ("1\n2", '"]', "\x00", "é😀", "\\", "{" * 30):
        assert algebra.is_equal(text, "x+1") is False
    assert algebra.is_equal("x+x", "2x")


def test_the_process_ends_with_its_owner() -> None:
    made = Algebra(seconds=5.0)
    assert made.is_equal("x+x", "2x")
    process = made._process
    assert process
    del made
    assert process.wait(timeout=5) is not None
