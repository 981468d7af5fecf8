from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from graded_runs import predictions
from sluicegate.errors import DataError
from sluicegate.evaluation.predictions import Prediction
from sluicegate.evaluation.review import REASONS, apply_review, read_review, unsure, write_sheet

REPLIES: dict[str, tuple[str | None, str | None]] = {
    "sure": ("#### 4", "4"),
    "wrong": ("#### 5", "4"),
    "form": ("#### 4.0", "4"),
    "algebra": (r"\boxed{(x+1)^2}", "x^2+2x+1"),
    "none": ("我不知道。", "4"),
    "unasked": (None, None),
}


@pytest.fixture(scope="module")
def rows() -> list[Prediction]:
    return predictions(REPLIES)


def reviewed(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_unsure_are_told_from_the_sure(rows: list[Prediction]) -> None:
    late: Any = {**rows[1], "error": "timeout"}
    why = {row["id"]: unsure(row) for row in rows} | {"late": unsure(late)}
    sure = dict.fromkeys(("sure", "wrong", "unasked"), "")
    assert why == sure | dict(zip(("late", "algebra", "none", "form"), REASONS, strict=True))


def test_a_sheet_comes_back_as_it_was_filled_in(rows: list[Prediction], tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    assert write_sheet(path, rows) == dict.fromkeys(REASONS[1:], 1)
    with path.open(encoding="utf-8-sig", newline="") as file:
        sheet = list(csv.DictReader(file))
    assert [line["id"] for line in sheet] == ["algebra", "none", "form"]
    assert (sheet[1]["question"], sheet[1]["reply"], sheet[1]["extracted"]) == ("none?", "我不知道。", "")
    assert read_review(path) == {}, "nothing is filled in yet"
    text = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([text[0], text[1] + "wrong", text[2] + "对", text[3]]), encoding="utf-8")
    assert read_review(path) == {"algebra": False, "none": True}


def test_what_a_person_says_counts(rows: list[Prediction]) -> None:
    after = {row["id"]: row for row in apply_review(rows, {"none": True, "sure": False})}
    assert [(after[n]["correct"], after[n]["error"], after[n]["reviewed"]) for n in ("none", "sure", "wrong")] == [
        (True, "", True),
        (False, "wrong value", True),
        (False, "wrong value", False),
    ]
    assert unsure(after["none"]) == "", "a reviewed case is in doubt no more"
    assert after["none"]["symbolic"] is False, "the verdicts of the grader stay beside it"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,why\na,b\n", "has no column 'verdict'"),
        ("", "has no column 'id'"),
        ("id,verdict\na,right\nb,maybe\n", "line 3: verdict 'maybe'"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_an_error(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=told):
        read_review(reviewed(tmp_path / "r.csv", text))


def test_a_missing_sheet_and_an_unknown_row_are_errors(rows: list[Prediction], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no review"):
        read_review(tmp_path / "none.csv")
    for name in ("other", "unasked"):
        with pytest.raises(DataError, match=f"'{name}', which is no answered question"):
            apply_review(rows, {name: True})
