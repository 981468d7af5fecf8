from __future__ import annotations

import csv
from io import StringIO

from sluicegate.reporting.pairwise import Comparison, Side, csv_tables


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_every_question_with_every_reply(comparison: Comparison, sides: list[Side]) -> None:
    found = rows(csv_tables(comparison, sides)["questions"])
    assert [row["id"] for row in found] == ["q0", "q1", "q2", "q3"]
    assert [row["right twice"] for row in found] == ["1.0", "0.5", "0.5", ""]
    assert (found[0]["prompt"], found[0]["gold"], found[0]["reply base"]) == ("q0?", "4", "#### 4")
    assert (found[2]["extracted base"], found[2]["extracted tuned"]) == ("5", "4")


def test_the_numbers_of_the_page(comparison: Comparison, sides: list[Side]) -> None:
    tables = {name: rows(text) for name, text in csv_tables(comparison, sides).items()}
    assert [row["arm"] for row in tables["arms"]] == ["base", "tuned", "twice"]
    [tuned, twice] = tables["pairs"]
    assert (tuned["wins"], tuned["losses"], tuned["both"], tuned["neither"], tuned["p"]) == ("1", "1", "1", "1", "1.0")
    assert (twice["p"], twice["seeds"], twice["seeds_against"]) == ("", "2", "1")
    assert [row["accuracy tuned"] for row in tables["parts"]] == ["1.0", "0.0"]
