from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.labels import Labels
from sluicegate.data.language_share import Groups
from sluicegate.errors import DataError


def groups(share: Any, **rows: int) -> Groups:
    return Groups.of(Labels.of(np.repeat(list(rows), list(rows.values()))), share)


def rates(share: Any, **rows: int) -> list[float]:
    made = groups(share, **rows)
    return made.rates(np.ones(len(made.member), dtype=bool)).round(6).tolist()


@pytest.mark.parametrize(
    ("share", "rows", "expected"),
    [
        ({}, {"zh": 4, "en": 6}, [1.0]),
        ({"zh": 0.7}, {"zh": 4, "en": 6}, [0.7, 0.3]),
        ({"zh": 0.7}, {"zh": 8, "en": 2}, [0.8, 0.2]),
        ({"zh": 0.7}, {"zh": 8}, [1.0, 0.0]),
        ({"zh": 0.5, "en": 0.3}, {"zh": 40, "en": 32, "other": 28}, [0.5, 0.3, 0.2]),
        ({"zh": 0.5, "en": 0.2}, {"zh": 10, "en": 60, "other": 30}, [0.5, 1 / 3, 1 / 6]),
        ({"zh": 0.7, "en": 0.3}, {"zh": 1, "en": 1, "other": 8}, [0.7, 0.3, 0.0]),
    ],
)
def test_a_language_gets_its_share_of_the_rows_or_the_least_one(share: Any, rows: Any, expected: list[float]) -> None:
    assert rates(share, **rows) == pytest.approx(expected, abs=1e-6)


@given(
    zh=st.integers(1, 50),
    en=st.integers(1, 50),
    other=st.integers(1, 50),
    a=st.floats(0.01, 0.6),
    b=st.floats(0.01, 0.4),
)
def test_no_language_gets_less_than_its_least(zh: int, en: int, other: int, a: float, b: float) -> None:
    found = rates({"zh": a, "en": b}, zh=zh, en=en, other=other)
    assert sum(found) == pytest.approx(1, abs=1e-5)
    assert found[0] >= a - 1e-5
    assert found[1] >= b - 1e-5


def test_an_epoch_ends_with_the_first_or_the_last_of_the_groups() -> None:
    made = groups({"zh": 0.5}, zh=20, en=60)
    found = made.rates(np.ones(80, dtype=bool))
    assert made.epoch(found, whole=True) == 120
    assert made.epoch(found, whole=False) == 40


def test_rows_that_are_left_out_do_not_count() -> None:
    made = groups({"zh": 0.2}, zh=4, en=6)
    assert made.rates(np.arange(10) < 5).tolist() == pytest.approx([0.8, 0.2])
    with pytest.raises(DataError, match="there are no zh rows"):
        made.rates(np.arange(10) > 5)
