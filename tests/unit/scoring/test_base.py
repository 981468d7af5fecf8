"""What signals are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sluicegate.scoring.base import Batch, or_reason, rate, seen_by


def test_rows_without_a_response_token_get_the_reason_for_a_value(make_shard: Any) -> None:
    shard = make_shard([2, 0, 1], loss=[1.5, math.nan, 2.5])
    assert or_reason(shard.seen.loss, shard) == [1.5, "no response token left", 2.5]


def test_a_signal_that_reads_a_model_needs_its_pass(make_shard: Any) -> None:
    with pytest.raises(AssertionError, match="only called on its pass"):
        seen_by(make_shard([1]))


def test_the_numbers_of_a_batch_are_cut_into_those_of_its_rows(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch([[1.0, 2.0], [3.0], [4.0, 5.0]])
    assert [own.tolist() for own in batch.per_row(batch.reading.loss)] == [[1.0, 2.0], [3.0], [4.0, 5.0]]


def test_only_rows_with_finite_numbers_are_rated(make_shard: Any) -> None:
    shard = make_shard([1, 0, 1, 1], observed=[[1.0, 2.0], [math.nan] * 2, [3.0, math.inf], [5.0, 6.0]])
    asked: list[np.ndarray] = []
    one, unread, broken, four = rate(lambda x: asked.append(x) or x.sum(1), shard)  # type: ignore[func-returns-value]
    assert (one, unread, four) == (3.0, "no response token left", 11.0)
    assert math.isnan(broken)  # type: ignore[arg-type]
    assert [x.tolist() for x in asked] == [[[1.0, 2.0], [5.0, 6.0]]]


def test_a_shard_of_which_no_row_was_read_asks_for_no_rating(make_shard: Any) -> None:
    assert rate(lambda x: pytest.fail("there is nothing to rate"), make_shard([0, 0])) == ["no response token left"] * 2
