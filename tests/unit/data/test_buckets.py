from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.config import Config, build
from sluicegate.data.buckets import BOUNDS, Bounds, bucket_names, bucket_of, buckets_of
from sluicegate.errors import ConfigError

rising = st.lists(st.integers(1, 5000), min_size=1, max_size=8, unique=True).map(sorted)


@pytest.mark.parametrize(
    ("n_tokens", "name"),
    [
        (0, "0-256"),
        (256, "0-256"),
        (257, "257-1024"),
        (1024, "257-1024"),
        (1025, "1025-2048"),
        (2048, "1025-2048"),
        (2049, "over 2048"),
    ],
)
def test_a_bound_belongs_to_the_bucket_it_closes(n_tokens: int, name: str) -> None:
    assert bucket_names()[bucket_of(n_tokens)] == name


@given(bounds=rising, n_tokens=st.integers(0, 6000))
def test_a_name_says_what_is_in_its_bucket(bounds: list[int], n_tokens: int) -> None:
    low, _, high = bucket_names(bounds)[bucket_of(n_tokens, bounds)].partition("-")
    assert int(low) <= n_tokens <= int(high) if high else n_tokens > int(low.removeprefix("over "))


@given(bounds=rising, lengths=st.lists(st.integers(0, 6000)))
def test_many_lengths_at_once_are_each_alone(bounds: list[int], lengths: list[int]) -> None:
    assert buckets_of(np.array(lengths, dtype=int), bounds).tolist() == [bucket_of(n, bounds) for n in lengths]


def test_bounds_must_rise() -> None:
    class Asked(Config):
        bounds: Bounds = list(BOUNDS)

    assert build(Asked, {"bounds": [10, 20]}).bounds == [10, 20]
    for wrong, why in (([20, 10], "rise"), ([10, 10], "rise"), ([], "at least 1"), ([0, 5], "from above 0")):
        with pytest.raises(ConfigError, match=why):
            build(Asked, {"bounds": wrong})
