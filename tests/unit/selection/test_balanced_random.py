from __future__ import annotations

from collections import Counter

import numpy as np

from sluicegate.config import build
from sluicegate.selection.balanced_random import BalancedRandom
from sluicegate.selection.base import Pool

SOURCES = np.array(["web"] * 80 + ["books"] * 15 + ["exams"] * 5, dtype=object)
POOL = Pool([f"r{i:03d}" for i in range(100)], {"source": SOURCES})


def test_every_source_gives_as_many_rows_and_a_small_one_all() -> None:
    decided = BalancedRandom(build(BalancedRandom.Config, {"rows": 25})).select(POOL)
    assert Counter(SOURCES[decided.kept]) == {"web": 10, "books": 10, "exams": 5}
    assert set(decided.reason[decided.kept]) == {
        "among the 10 drawn of 80 from web",
        "among the 10 drawn of 15 from books",
        "among the 5 drawn of 5 from exams",
    }


def test_the_seed_decides_which() -> None:
    one, two = (BalancedRandom(build(BalancedRandom.Config, {"rows": 25, "seed": s})).select(POOL) for s in (0, 1))
    assert (one.kept != two.kept).any()
