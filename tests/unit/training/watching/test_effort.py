from __future__ import annotations

import numpy as np
import pytest

from sluicegate.training.watching.effort import effort
from sluicegate.training.watching.workload import Workload

WORK = Workload(np.array([2, 2, 1]), np.array([100, 200, 60]), np.array([10, 30, 5]))


def entry(step: int, seconds: float, memory: int = 2**30) -> dict[str, float]:
    return {"step": step, "loss": 1.0, "seconds": seconds, "memory": memory}


def test_rates_are_over_the_tokens_and_the_seconds_of_those_steps() -> None:
    told = effort([entry(2, 0.5), entry(3, 1.5, 3 * 2**30)], WORK)
    assert told == {
        "samples": 5,
        "seconds": 2.0,
        "tokens_per_second": 130.0,
        "label_tokens_per_second": 17.5,
        "peak_memory_gib": 3.0,
    }


def test_all_of_them() -> None:
    told = effort([entry(step, 1.0) for step in (1, 2, 3)], WORK)
    assert (told["samples"], told["tokens_per_second"]) == (5, pytest.approx(120))
