"""Batches come out even, or the error names the nearest that do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.errors import ConfigError
from sluicegate.training.devices.batch_shares import near_batches, near_sizes, share


@pytest.mark.parametrize(
    ("total", "size", "processes", "expected"),
    [(16, None, 1, (16, 1)), (16, None, 2, (8, 1)), (16, 2, 2, (2, 4)), (16, 16, 1, (16, 1)), (3, None, 3, (1, 1))],
)
def test_a_batch_is_shared(total: int, size: int | None, processes: int, expected: tuple[int, int]) -> None:
    assert share(total, size, processes) == expected


@pytest.mark.parametrize(
    ("total", "size", "processes", "said"),
    [
        (16, None, 3, "total_batch 16 cannot be shared by 3 processes\nhint: total_batch=15 or total_batch=18"),
        (2, None, 4, "total_batch 2 cannot be shared by 4 processes\nhint: total_batch=4"),
        (
            24,
            5,
            2,
            "total_batch 24 cannot be shared by 2 processes at 5 rows a pass\n"
            "hint: total_batch=20 or total_batch=30, or device_batch_size=4 or device_batch_size=6",
        ),
        (
            16,
            20,
            1,
            "total_batch 16 cannot be shared by a process at 20 rows a pass\n"
            "hint: total_batch=20, or device_batch_size=16",
        ),
    ],
)
def test_an_impossible_split_names_the_nearest_that_are_possible(
    total: int, size: int | None, processes: int, said: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(said)}$"):
        share(total, size, processes)


def possible(total: int, size: int | None, processes: int) -> bool:
    try:
        rows, passes = share(total, size, processes)
    except ConfigError:
        return False
    assert rows * passes * processes == total
    assert size is None or rows == size
    return True


@given(st.integers(1, 300), st.none() | st.integers(1, 40), st.integers(1, 9))
def test_what_is_named_is_possible_and_nothing_nearer_is(total: int, size: int | None, processes: int) -> None:
    if possible(total, size, processes):
        return
    batches = near_batches(total, size, processes)
    assert batches
    between = range(batches[0] + 1, batches[-1]) if len(batches) == 2 else range(1, batches[0])
    assert all(possible(n, size, processes) for n in batches)
    assert not any(possible(n, size, processes) for n in between)
    if size is None:
        return
    sizes = near_sizes(total, size, processes)
    assert all(possible(total, rows, processes) for rows in sizes)
    low, high = max([0, *[n for n in sizes if n < size]]), min([n for n in sizes if n > size], default=total + 1)
    assert not any(possible(total, rows, processes) for rows in range(low + 1, high))
