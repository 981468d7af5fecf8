from __future__ import annotations

import numpy as np
import pytest

from sluicegate.data.hash_index import HashIndex

KEYS = np.random.default_rng(0).integers(0, 2**64, 50_000, dtype=np.uint64)


@pytest.mark.parametrize("key_type", [np.uint64, np.uint32])
def test_what_was_added_is_found_with_its_row_however_it_grew(key_type: type) -> None:
    index, rows = HashIndex(key_type), np.arange(len(KEYS))
    for start in range(0, len(KEYS), 700):
        index.add(KEYS[start : start + 700], rows[start : start + 700])
    assert (index.find(KEYS) == rows).mean() > 0.9999


def test_whole_keys_find_nothing_that_was_not_added() -> None:
    index = HashIndex()
    index.add(KEYS[:1000], np.arange(1000))
    assert (index.find(KEYS[1000:]) == -1).all()
    assert (index.find(KEYS[:1000]) == np.arange(1000)).all()
    near = KEYS[:1000] ^ np.uint64(1)
    assert (index.find(near) == -1).all()


def test_keys_that_want_one_slot_and_the_smallest_and_largest_key() -> None:
    index = HashIndex()
    keys = np.array([0, 1, 2, 3, 2**64 - 1, 2**64 - 2], dtype=np.uint64)
    index.add(keys, np.arange(6) + 7)
    assert index.find(keys).tolist() == [7, 8, 9, 10, 11, 12]
    assert index.find(np.array([4, 2**64 - 3], dtype=np.uint64)).tolist() == [-1, -1]


def test_nothing_is_found_in_nothing() -> None:
    assert HashIndex().find(KEYS[:3]).tolist() == [-1, -1, -1]
    assert HashIndex().find(KEYS[:0]).tolist() == []
