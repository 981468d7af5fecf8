"""Halves, parts and sources of the real rows, on made ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from real_text import CLEAN, SOURCES, Row, draw, halves, missing, stem, write

from sluicegate.data.intake import from_file

WORDINGS = [
    "What is wet?\nOptions:\n- (A) sun\n- (B) rain",
    "Use reasoning. What is wet?\nOptions:\n- (A) stone\n- (B) rain Let's think:",
    "Think well:\nwhat is wet?",
]


def rows_of(n: int) -> list[Row]:
    return [Row(source, f"{source} {i}?", "An answer.") for source in SOURCES for i in range(n)]


def test_wordings_of_a_question_share_a_stem() -> None:
    assert {stem(Row("qasc", prompt, "")) for prompt in WORDINGS} == {"what is wet?"}
    assert stem(Row("qasc", "Name what is wet.", "")) == "name what is wet."
    assert stem(Row("gsm8k", WORDINGS[0], "")) == WORDINGS[0]


def test_wordings_of_a_question_are_on_one_side() -> None:
    rows = [
        Row("qasc", prompt.replace("wet", f"number {i}"), f"{i} {j}")
        for i in range(9)
        for j, prompt in enumerate(WORDINGS)
    ]
    a, b = halves(rows)
    assert not {stem(row) for row in a} & {stem(row) for row in b}
    assert (len(a), len(b)) == (4 * 3, 5)  # of half B only the first wording


def test_every_source_is_halved() -> None:
    a, b = halves(rows_of(10))
    assert {source: sum(row.source == source for row in a) for source in SOURCES} == dict.fromkeys(SOURCES, 5)
    assert len(a) == len(b)


def test_parts_share_no_row_and_have_the_pool_s_shares() -> None:
    parts = draw(rows_of(200), {"pool": 300, "trusted": 30})
    assert {name: len(rows) for name, rows in parts.items()} == {"pool": 300, "trusted": 30}
    assert len({row.prompt for rows in parts.values() for row in rows}) == 330
    assert abs(sum(row.source == "gsm8k" for row in parts["pool"]) - 150) <= 4


def test_long_rows_are_left_out() -> None:
    rows = [Row(row.source, row.prompt, "词" * (400 if i % 2 else 10)) for i, row in enumerate(rows_of(40))]
    assert all(len(row.response) == 10 for row in draw(rows, {"pool": 20})["pool"])


@pytest.mark.parametrize(
    ("source", "columns", "texts"),
    [
        ("gsm8k", {"question": "Q", "answer": "1+1=<<1+1=2>>2\n#### 2"}, ("Q", "1+1=2\n#### 2")),
        ("math", {"problem": "Q", "solution": "It is \\boxed{2}."}, ("Q", "It is \\boxed{2}.")),
        ("math", {"problem": "Q", "solution": "It is 2."}, None),
        ("math", {"problem": "Q [asy]dot();[/asy]", "solution": "\\boxed{2}"}, None),
        ("cmath", {"question": "Q", "golden": ["2", "二"]}, ("Q", "答案是2。")),
        ("ecqa", {"instruction": "Q\\n- a", "input": "", "output": "A"}, ("Q\n- a", "A")),
        ("oasst_zh", {"instruction": "Q", "input": "I", "output": "这是药。"}, ("Q\nI", "这是药。")),
        ("oasst_zh", {"instruction": "Q", "input": "", "output": "In English."}, None),
    ],
)
def test_columns_are_read(source: str, columns: dict[str, object], texts: tuple[str, str] | None) -> None:
    assert SOURCES[source].texts(columns) == texts


def test_what_is_written_is_read_as_messages(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", [Row("gsm8k", "How many?", "Two."), Row("qasc", "What?", "This.", "short")])
    records = [c.record for c in from_file(tmp_path / "rows.jsonl", "rows", "auto", 1000)]
    assert [[m["content"] for m in r["messages"]] for r in records if r] == [["How many?", "Two."], ["What?", "This."]]
    assert [json.loads(r["meta"])["fault"] for r in records if r] == [CLEAN, "short"]


def test_missing_files_are_named(tmp_path: Path) -> None:
    assert missing(tmp_path) == [source.file for source in SOURCES.values()]
