from __future__ import annotations

from typing import Any

import pytest

from graded_runs import predictions
from sluicegate.evaluation.metrics import as_markdown, csv_rows, measure
from sluicegate.evaluation.predictions import Prediction

REPLIES: dict[str, tuple[str | None, str | None]] = {
    "a": ("#### 4", "4"),
    "b": ("#### 4.0", "4"),
    "c": (r"\boxed{(x+1)^2}", "x^2+2x+1"),
    "d": ("I do not know.", "4"),
    "e": (None, None),
}


@pytest.fixture(scope="module")
def rows() -> list[Prediction]:
    found: Any = predictions(REPLIES)
    return [{**row, "level": "1" if n < 2 else None, "n_tokens": n} for n, row in enumerate(found)]


def test_three_accuracies_and_what_explains_them(rows: list[Prediction]) -> None:
    told = measure(rows, 1.25)
    assert (told["n"], told["graded"], told["loss"]) == (5, 4, 1.25)
    assert [told["strict"], told["flexible"], told["symbolic"], told["accuracy"]] == [0.25, 0.5, 0.75, 0.75]
    assert told["standard_error"] == pytest.approx((0.75 * 0.25 / 4) ** 0.5, abs=1e-6)
    assert (told["no_answer"], told["truncated"], told["tokens"]) == (0.25, 0.0, 1.5)
    assert told["errors"] == {"no answer": 1}
    assert told["by_level"]["1"]["flexible"] == 1.0
    assert told["by_type"] == {}


def test_without_an_answer_nothing_is_known(rows: list[Prediction]) -> None:
    told = measure(rows[4:], None)
    assert [told["accuracy"], told["standard_error"], told["tokens"], told["loss"]] == [None] * 4
    assert "Loss: –. Errors: none." in as_markdown(told)


def test_tables_have_a_line_for_every_part(rows: list[Prediction]) -> None:
    told = measure(rows, None)
    header, *lines = csv_rows(told)
    assert [line[:2] for line in lines] == [["source", "sums"], ["source", "all"], ["level", "1"]]
    assert all(len(line) == len(header) for line in lines)
    markdown = as_markdown(told)
    assert "| sums | 5 | 4 | 75.0% |" in markdown
    assert markdown.count("---:") == 2 * 10, "no table for types that nobody told"
