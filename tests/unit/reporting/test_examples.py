from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fake_runs import HOSTILE, FakeRuns
from sluicegate.artifacts import Artifact
from sluicegate.reporting.examples import MAX_CHARS, examples, shorten, spread
from sluicegate.reporting.lineage import trace
from sluicegate.reporting.scores import read_scores
from sluicegate.reporting.summary import Summary


def test_twenty_rows_half_kept_and_why(summary: Summary) -> None:
    shown = summary["examples"]
    assert [row["kept"] for row in shown] == [True] * 10 + [False] * 10
    assert all(row["reason"] for row in shown)
    kept, dropped = shown[:10], shown[10:]
    assert [row["rank"] for row in kept] == [0, 7, 13, 20, 26, 33, 39, 46, 52, 59]
    assert (dropped[0]["rank"], dropped[-1]["rank"]) == (60, 299)
    assert kept[0]["reason"] == "the best 60 of 300 by gate"
    assert dropped[-1]["reason"] == "copy of another"


def test_a_row_comes_with_its_text_and_its_scores(runs: FakeRuns, summary: Summary) -> None:
    records = {row["id"]: row for row in runs.pool.rows("messages")}
    scores = {row["id"]: row for row in runs.scores.rows("scores")}
    for shown in summary["examples"]:
        record = records[shown["id"]]
        assert shown["prompt"] == record["messages"][0]["content"]
        assert HOSTILE in shown["response"]
        assert shown["source"] == record["source"]
        assert shown["scores"]["length"] == scores[shown["id"]]["length"]


def test_an_odd_number_shows_one_more_kept_row(runs: FakeRuns, arms: dict[str, list[Artifact]]) -> None:
    tables = {runs.scores.id: read_scores(runs.scores)}
    assert [row["kept"] for row in examples(trace(arms["gate"][0]), tables, 3)] == [True, True, False]
    assert examples(trace(arms["gate"][0]), tables, 0) == []


def test_a_run_that_kept_all_has_none(arms: dict[str, list[Artifact]]) -> None:
    assert examples(trace(arms["all"][0]), {}, 20) == []


@given(st.lists(st.integers()), st.integers(0, 30))
def test_spread_holds_both_ends_in_order(items: list[int], n: int) -> None:
    found = spread(list(enumerate(items)), n)
    assert len(found) == min(n, len(items))
    assert found == sorted(set(found))
    if n > 1 and items:
        assert (found[0][0], found[-1][0]) == (0, len(items) - 1)


def test_long_texts_are_cut() -> None:
    assert shorten("好" * MAX_CHARS) == "好" * MAX_CHARS
    assert shorten("好" * (MAX_CHARS + 1)) == "好" * MAX_CHARS + " …"
