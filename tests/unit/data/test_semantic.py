from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data import semantic
from sluicegate.data.semantic import semantic_copies

RNG = np.random.default_rng(0)


def test_a_later_row_that_points_the_same_way_is_a_copy_of_the_first_that_stays() -> None:
    one, other = RNG.normal(size=(2, 32))
    vectors = np.stack([one, other, 3 * one, one + 0.1 * other, -one, np.zeros(32), np.zeros(32)])
    copies = semantic_copies(vectors, 0.9)
    assert {at: original for at, (original, _) in copies.items()} == {2: 0, 3: 0}
    assert copies[2][1] == pytest.approx(1)
    assert semantic_copies(vectors, 1.01) == {}


def test_a_row_that_is_left_out_is_the_original_of_none() -> None:
    angles = np.radians([0, 20, 40])
    chain = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert {at: of for at, (of, _) in semantic_copies(chain, 0.9).items()} == {1: 0}


@given(st.integers(1, 40), st.integers(1, 9), st.floats(0.3, 0.95))
def test_blocks_change_nothing_and_those_that_stay_are_unlike(n: int, block: int, threshold: float) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 3))
    whole = semantic_copies(vectors, threshold)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantic, "_BLOCK", block)
        assert semantic_copies(vectors, threshold).keys() == whole.keys()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    stay = [at for at in range(n) if at not in whole]
    alike = unit[stay] @ unit[stay].T - 2 * np.eye(len(stay))
    assert (alike < threshold + 1e-9).all()


def test_nothing() -> None:
    assert semantic_copies(np.zeros((0, 4)), 0.9) == {}
