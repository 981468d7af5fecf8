"""What signals are made of."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sluicegate.scoring.base import or_reason, seen_by


def test_rows_without_a_response_token_get_the_reason_for_a_value(make_shard: Any) -> None:
    shard = make_shard([2, 0, 1], loss=[1.5, math.nan, 2.5])
    assert or_reason(shard.seen.loss, shard) == [1.5, "no response token left", 2.5]


def test_a_signal_that_reads_a_model_needs_its_pass(make_shard: Any) -> None:
    with pytest.raises(AssertionError, match="only called on its pass"):
        seen_by(make_shard([1]))
