from __future__ import annotations

import datetime

from sluicegate.data.readers import HEAD_CHARS, Row


def test_the_head_is_the_beginning_of_the_row_as_it_was_read() -> None:
    assert Row(1, {"a": 1}, text='{ "a":1 }').head == '{ "a":1 }'
    assert len(Row(1, {"a": "x" * 500}, text="y" * 500).head) == HEAD_CHARS


def test_of_a_row_without_a_text_the_head_is_json() -> None:
    when = datetime.date(2024, 1, 2)
    assert Row(1, {"a": [1, None], "b": "中", "c": when}).head == '{"a": [1, null], "b": "中", "c": "2024-01-02"}'
    assert Row(1, {"a": "x" * 500, "b": [0] * 10**6}).head == '{"a": "' + "x" * (HEAD_CHARS - 7)


def test_a_head_can_always_be_written() -> None:
    assert Row(1, text="a\udcff").head == "a?"


def test_brief_leaves_the_value_and_keeps_the_place_the_reason_and_the_head() -> None:
    row = Row(7, {"a": "x" * 500}, "too long")
    assert row.brief() == Row(7, None, "too long", row.head)
