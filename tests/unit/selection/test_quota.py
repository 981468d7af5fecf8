"""A share for each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.selection.base import Pool
from sluicegate.selection.quota import Quota

LANGS = np.array(["zh"] * 6 + ["en"] * 3 + ["other"], dtype=object)
TOKENS = np.array([10, 256, 257, 1024, 1025, 2048, 2049, 1, 2, 3], dtype=np.int32)
POOL = Pool(
    [f"r{n}" for n in range(10)],
    {"x": np.arange(10.0), "lang": LANGS, "source": LANGS, "n_label_tokens": TOKENS},
    by="x",
)


def kept(**options: Any) -> list[int]:
    return np.flatnonzero(Quota(build(Quota.Config, options)).select(POOL).kept).tolist()


def test_each_gets_the_share_asked_for_and_fills_it_with_its_best() -> None:
    assert kept(per="lang", shares={"zh": 3, "en": 1}, rows=4) == [3, 4, 5, 8]


def test_equal_shares_where_none_are_named() -> None:
    assert kept(per="source", rows=3) == [5, 8, 9]


def test_what_one_is_too_small_for_goes_to_the_others() -> None:
    assert kept(per="lang", shares={"other": 1, "en": 1}, rows=4) == [6, 7, 8, 9]
    assert kept(per="lang", shares={"other": 1}, rows=4) == [9], "but never to one that was not asked for"


def test_lengths_fall_into_buckets_that_hold_their_upper_edge() -> None:
    names = Quota(build(Quota.Config, {"per": "length", "rows": 1}))._names(POOL).tolist()
    assert names[:7] == ["0-256"] * 2 + ["256-1024"] * 2 + ["1024-2048"] * 2 + ["over 2048"]


@pytest.mark.parametrize(("options", "told"), [({"shares": {"zh": 0}}, "shares.zh"), ({"edges": [5, 5]}, "rise")])
def test_shares_and_edges_that_mean_nothing(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        kept(rows=1, **options)
