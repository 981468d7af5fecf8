"""What a person should look at: the sheet of unsure cases, and the verdicts read back from it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sluicegate.errors import DataError
from sluicegate.evaluation.predictions import Prediction

REASONS = ("algebra came to no end", "only algebra calls it equal", "no answer found", "equal in another form")
"""Why a person should look, the most doubtful first."""
COLUMNS = ("id", "why", "question", "extracted", "gold", "strict", "flexible", "symbolic", "reply", "verdict")
RIGHT = {"right", "correct", "true", "yes", "y", "1", "对", "正确"}
WRONG = {"wrong", "incorrect", "false", "no", "n", "0", "错", "错误"}


def unsure(prediction: Prediction) -> str:
    """Which of `REASONS` there is to look at a prediction; empty where there is no doubt."""
    endless, by_algebra, none_found, in_another_form = REASONS
    if prediction["correct"] is None or prediction["reviewed"]:
        return ""
    if prediction["error"] == "timeout":
        return endless
    if prediction["extracted"] is None:
        return none_found
    if prediction["symbolic"] != prediction["flexible"]:
        return by_algebra
    return "" if prediction["flexible"] == prediction["strict"] else in_another_form


def write_sheet(path: Path, predictions: Iterable[Prediction]) -> dict[str, int]:
    """Write the unsure cases as CSV with an empty `verdict`, most doubtful first; return how many of each reason."""
    doubts = [(why, prediction) for prediction in predictions if (why := unsure(prediction))]
    doubts.sort(key=lambda doubt: REASONS.index(doubt[0]))
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark shows spreadsheets that it is UTF-8
        sheet = csv.writer(file)
        sheet.writerow(COLUMNS)
        sheet.writerows(_row(why, prediction) for why, prediction in doubts)
    return {reason: n for reason in REASONS if (n := sum(why == reason for why, _ in doubts))}


def _row(why: str, prediction: Prediction) -> list[object]:
    cells = {**prediction, "why": why, "question": prediction["prompt"], "reply": prediction["output"], "verdict": ""}
    return [cells[column] for column in COLUMNS]


# The way back -------------------------------------------------------------------------------------------------------


def review_file(path: Path) -> Path:
    """The path of a review that is there.

    Raises:
        DataError: it is not.
    """
    if not path.is_file():
        raise DataError(f"no review {path}", "`sluice review EVALUATION FILE.csv` writes one to fill in")
    return path


def read_review(path: Path) -> dict[str, bool]:
    """Id to whether a person calls its reply right; rows without a verdict are left out.

    Raises:
        DataError: no such file, no column of that name, or a verdict that is neither right nor wrong.
    """
    with review_file(path).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if missing := {"id", "verdict"} - set(rows.fieldnames or ()):
            raise DataError(f"{path} has no column '{min(missing)}'", "its first line names them: id,verdict")
        told = {row["id"]: _verdict(row["verdict"], path, rows.line_num) for row in rows}
    return {name: verdict for name, verdict in told.items() if verdict is not None}


def _verdict(text: str | None, path: Path, line: int) -> bool | None:
    word = (text or "").strip().casefold()
    if word and word not in RIGHT | WRONG:
        raise DataError(f"{path} line {line}: verdict '{text}'", "write right or wrong, or leave it blank")
    return word in RIGHT if word else None


def apply_review(predictions: Sequence[Prediction], review: Mapping[str, bool]) -> list[Prediction]:
    """The predictions with what a person said of them in the place of what the grader did.

    Raises:
        DataError: the review names a row that was not asked.
    """
    if unknown := set(review) - {p["id"] for p in predictions if p["correct"] is not None}:
        raise DataError(f"the review has '{min(unknown)}', which is no answered question", "is it of this evaluation?")
    return [_reviewed(p, review[p["id"]]) if p["id"] in review else p for p in predictions]


def _reviewed(prediction: Prediction, is_right: bool) -> Prediction:
    error = "" if is_right else prediction["error"] or "wrong value"
    return {**prediction, "correct": is_right, "error": error, "reviewed": True}
