from __future__ import annotations

import math
from typing import Any

import pytest

from sluicegate.scoring.perplexity import Perplexity


def test_it_is_minus_the_exponential_of_the_mean_loss(make_shard: Any) -> None:
    shard = make_shard([2, 1, 0], loss=[math.log(7.0), 0.0, math.nan])
    assert Perplexity().score(shard, Perplexity.Config()) == [pytest.approx(-7), -1.0, "no response token left"]


def test_a_loss_beyond_measure_stays_a_number(make_shard: Any) -> None:
    (value,) = Perplexity().score(make_shard([1], loss=[1e6]), Perplexity.Config())
    assert isinstance(value, float)
    assert math.isfinite(value)
