from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sluicegate.scoring.excess import Excess
from sluicegate.scoring.merge import subtract
from sluicegate.scoring.passes import MINUS
from sluicegate.scoring.reference import Reference


def test_it_is_what_the_copy_says_less_what_the_base_says() -> None:
    assert (Excess.reads, Excess.minus) == ("tuned", "base")
    assert Excess.score is Reference.score


def test_it_is_the_loss_that_tuning_on_trusted_rows_takes_away(make_shard: Any) -> None:
    """Base 2.0 and 1.0 nats, copy 0.5 and 3.0: 1.5 to be learned of the first row, and the second was unlearned."""
    losses = {"excess": [0.5, 3.0], f"{MINUS}excess": [2.0, 1.0]}
    passes = {name: Excess().score(make_shard([1, 1], loss=loss), Excess.Config()) for name, loss in losses.items()}
    assert subtract(pa.table({name: np.float32(s) for name, s in passes.items()}))["excess"].to_pylist() == [1.5, -2.0]
