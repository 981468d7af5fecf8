from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.gather import gather
from sluicegate.data.readers import Chunk, Row
from sluicegate.data.readers.chunk import parsed


def chunks(rows: list[Row], size: int = 3) -> Iterator[Chunk]:
    for at in range(0, len(rows), size):
        yield Chunk(parsed, rows[at].line, 0, rows[at : at + size])


def lines(rows: list[Row]) -> list[list[int]]:
    return [[row.line for row in chunk.rows()] for chunk in gather(lambda: chunks(rows), "tree")]


def rows_of(trees: list[str | None]) -> list[Row]:
    return [Row(line, {"tree": tree}) for line, tree in enumerate(trees, start=1)]


def test_rows_of_a_group_come_together_when_it_is_whole() -> None:
    assert lines(rows_of(["a", "b", "a", "c", "b", "a"])) == [[4, 2, 5, 1, 3, 6]]


def test_a_row_without_a_group_comes_alone_and_at_once() -> None:
    rows = [
        Row(1, {"tree": "a"}),
        Row(2, None, "invalid JSON"),
        Row(3, [1]),
        Row(4, {"tree": None}),
        Row(5, {"tree": "a"}),
    ]
    assert lines(rows) == [[2, 3, 4, 1, 5]]


def test_groups_are_let_go_in_chunks() -> None:
    rows = rows_of([str(n // 2) for n in range(600)])
    assert [len(chunk) for chunk in lines(rows)] == [256, 256, 88]


def test_no_group_is_cut() -> None:
    trees = [str(n % 7) for n in range(2000)]
    random.Random(0).shuffle(trees)
    rows = rows_of(trees)  # type: ignore[arg-type]
    for chunk in gather(lambda: chunks(rows), "tree"):
        whole = [row.value["tree"] for row in chunk.rows()]
        assert all(whole.count(tree) == trees.count(tree) for tree in set(whole))


@given(st.lists(st.none() | st.sampled_from("abc"), max_size=30))
def test_every_row_comes_once(trees: list[str | None]) -> None:
    assert sorted(line for chunk in lines(rows_of(trees)) for line in chunk) == list(range(1, len(trees) + 1))
