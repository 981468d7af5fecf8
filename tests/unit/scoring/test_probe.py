"""The log-odds of pooled states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.config import build
from sluicegate.scoring.base import Batch
from sluicegate.scoring.probe import Probe


def test_it_pools_the_states_of_response_tokens_only(make_batch: Callable[..., Batch]) -> None:
    hidden = [[[9.0, 9.0], [9.0, 9.0], [1.0, 2.0], [3.0, 6.0]], [[9.0, 9.0], [9.0, 9.0], [5.0, 7.0], [9.0, 9.0]]]
    found = Probe().observe(make_batch([[0.0, 0.0], [0.0]], hidden=hidden), Probe.Config())
    torch.testing.assert_close(found, torch.tensor([[2.0, 4.0], [5.0, 7.0]]))


def test_its_score_is_the_log_odds_of_standardised_states(make_shard: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)) * [1, 10, 100] + 5
    good = x[:, 0] + x[:, 1] / 10 > 5.5
    config = build(Probe.Config, {"c": 1.0})
    learned = Probe().classifier(config).fit(x, good)
    w, b = learned[-1].coef_[0], learned[-1].intercept_[0]
    wanted = (x - x.mean(0)) / x.std(0) @ w + b
    assert list(Probe().score(make_shard([1] * 60, observed=x, learned=learned), config)) == pytest.approx(
        wanted, rel=1e-4, abs=1e-4
    )
    assert ((wanted > 0) == good).mean() > 0.9


def test_a_rare_side_weighs_as_much_as_the_other() -> None:
    x, good = np.array([[-1.0]] * 8 + [[1.0]]), np.array([False] * 8 + [True])
    odds = Probe().classifier(build(Probe.Config, {"c": 1.0})).fit(x, good).decision_function([[0.0]])
    assert odds == pytest.approx([0.0], abs=1e-3)
