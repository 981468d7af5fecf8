from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sluicegate.data.corrupt import response
from sluicegate.data.plant import plant
from sluicegate.testing import tiny_pool

FAULTS = ["mismatch", "truncate", "gibberish"]


def fault(record: Any) -> str:
    return json.loads(record["meta"])["fault"]


def test_about_the_share_is_damaged_in_equal_parts() -> None:
    rows = tiny_pool(120)
    counts = Counter(map(fault, plant(rows, FAULTS, 0.5, 0)))
    assert 60 <= counts["clean"] <= 63, "damage that gives another row of the pool is no damage"
    assert all(18 <= counts[name] <= 22 for name in FAULTS)


def test_damaged_rows_stand_where_they_stood_under_ids_of_their_own() -> None:
    rows = tiny_pool(40)
    for before, after in zip(rows, plant(rows, FAULTS, 0.4, 0), strict=True):
        same = fault(after) == "clean"
        assert (before["id"] == after["id"]) == same == (response(before) == response(after))
        assert before["messages"][:-1] == after["messages"][:-1]


def test_what_is_damaged_hangs_on_the_seed_and_not_on_the_order() -> None:
    rows = tiny_pool(40)
    ids = {record["id"] for record in plant(rows, FAULTS, 0.4, 0)}
    assert ids == {record["id"] for record in plant(rows[::-1], FAULTS, 0.4, 0)}
    assert ids != {record["id"] for record in plant(rows, FAULTS, 0.4, 1)}


def test_a_fault_that_does_not_apply_leaves_the_row_to_the_next() -> None:
    english = [record for record in tiny_pool(80) if record["lang"] == "en"]
    counts = Counter(map(fault, plant(english, ["homophone", "truncate"], 0.5, 0)))
    assert counts["homophone"] == 0
    assert counts["truncate"] >= 0.45 * len(english)


def test_what_meta_said_before_stays() -> None:
    rows: list[Any] = [{**record, "meta": '{"level": 3}'} for record in tiny_pool(10)]
    assert {json.loads(record["meta"])["level"] for record in plant(rows, FAULTS, 0.5, 0)} == {3}
