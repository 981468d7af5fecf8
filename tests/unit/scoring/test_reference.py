from __future__ import annotations

import math
from typing import Any

from sluicegate.scoring.reference import Reference


def test_it_is_minus_the_loss_in_nats(make_shard: Any) -> None:
    shard = make_shard([2, 0], loss=[0.25, math.nan])
    assert Reference().score(shard, Reference.Config()) == [-0.25, "no response token left"]


def test_it_asks_for_the_tuned_copy() -> None:
    assert Reference.reads == "tuned"
