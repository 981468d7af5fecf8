"""Places under several signals."""

from __future__ import annotations

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.selection.base import Pool
from sluicegate.selection.blend import Blend, _place


def test_a_place_is_the_share_below_with_ties_in_their_middle() -> None:
    assert _place(np.array([3.0, 1.0, 1.0, np.nan, 7.0])).tolist() == [0.625, 0.25, 0.25, 0.5, 0.875]
    assert _place(np.array([np.nan, np.nan])).tolist() == [0.5, 0.5]


def test_the_scale_of_a_signal_does_not_matter_and_its_weight_does() -> None:
    columns = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([3e9, 1e9, 2e9])}
    for weights, best in (({"a": 1, "b": 1}, 2), ({"a": 3, "b": 1}, 2), ({"a": 1, "b": 3}, 0)):
        decided = Blend(build(Blend.Config, {"signals": weights, "rows": 1})).select(Pool(list("xyz"), columns))
        assert np.flatnonzero(decided.kept).tolist() == [best]
    assert decided.reason[0] == "among the best 1 of 3 by the mean place under a and b"


@pytest.mark.parametrize("signals", [{}, {"a": 0}, {"a": -1}])
def test_weights_that_mean_nothing(signals: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        build(Blend.Config, {"signals": signals, "rows": 1})
