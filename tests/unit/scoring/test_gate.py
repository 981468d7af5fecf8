from __future__ import annotations

import math
from typing import Any

from sluicegate.scoring.gate import Gate


def test_it_is_what_the_gates_said(make_shard: Any) -> None:
    shard = make_shard([2, 0, 1], loss=[9.0, 9.0, 9.0], gate=[-1.5, math.nan, 2.0])
    assert Gate().score(shard, Gate.Config()) == [-1.5, "no response token left", 2.0]
