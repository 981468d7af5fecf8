from __future__ import annotations

from typing import get_args

from sluicegate.data.dedup import DEDUPS, DedupName, Exact, Keep
from sluicegate.schema import Record, content_id, make_record

A, B = (make_record([{"role": "assistant", "content": text}], "s", "en") for text in "ab")


def passed(dedup: Exact | Keep, *records: Record) -> list[tuple[str, str]]:
    return [(record["id"], why) for n, r in enumerate(records, 1) for record, why in [dedup(r, f"x line {n}")]]


def test_exact_keeps_the_first_and_names_its_place() -> None:
    a, b = A["id"], B["id"]
    assert passed(Exact(), A, B, A, A) == [
        (a, ""),
        (b, ""),
        (a, "duplicate: of x line 1"),
        (a, "duplicate: of x line 1"),
    ]


def test_none_tells_copies_apart_and_leaves_the_content_alone() -> None:
    a, b = A["id"], B["id"]
    assert passed(Keep(), A, B, A, A) == [(a, ""), (b, ""), (f"{a}.2", ""), (f"{a}.3", "")]
    keep = Keep()
    keep(A, "x line 1")
    copy, _ = keep(A, "x line 2")
    assert content_id(copy["id"]) == A["id"]
    assert {**copy, "id": A["id"]} == A


def test_every_way_has_its_name() -> None:
    assert set(DEDUPS) == set(get_args(DedupName))
