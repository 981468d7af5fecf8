from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fake_runs import FakeRuns
from sluicegate.reporting.pool import Pool, fault_of, read_pool


def test_counts_of_a_pool(runs: FakeRuns) -> None:
    pool = read_pool(runs.pool)
    assert (pool.id, pool.rows, pool.dropped) == ("messages-pool", 300, 7)
    assert pool.sources == {"world/0": 100, "world/1": 100, "world/2": 100}
    assert pool.langs == {"en": 300}
    assert pool.shares() == {"clean": 0.5, "dup": 1 / 6, "gibberish": 1 / 6, "wrong_final": 1 / 6}


def test_clean_comes_first_then_the_most_frequent() -> None:
    pool = Pool("x", faults={"1": "b", "2": "a", "3": "b", "4": "clean", "5": "c", "6": "c"})
    assert list(pool.shares()) == ["clean", "b", "c", "a"]


def test_shares_of_some_rows() -> None:
    pool = Pool("x", faults={"1": "clean", "2": "short", "3": "short", "4": "clean"})
    assert pool.shares(["1", "2", "3", "unlabelled"]) == {"clean": 1 / 3, "short": 2 / 3}
    assert pool.shares([]) == {}


def test_nothing_is_known_of_rows_of_the_users_own(tmp_path: Path) -> None:
    pool = read_pool(FakeRuns(tmp_path / "store", faults=False).pool)
    assert pool.rows == 300
    assert pool.shares() == {}


def test_messages_without_dropped_rows(runs: FakeRuns) -> None:
    assert read_pool(runs.trusted).dropped == 0


@pytest.mark.parametrize(
    ("meta", "fault"),
    [
        ('{"fault": "short"}', "short"),
        ("{}", None),
        ('{"fault": ""}', None),
        ('{"fault": null}', None),
        ('{"fault": ["a"]}', None),
        ('{"fault": {"kind": 1}}', None),
    ],
)
def test_a_fault_is_a_word(meta: str, fault: Any) -> None:
    assert fault_of({"meta": meta}) == fault
