from __future__ import annotations

import numpy as np
import pytest
from sluicegate_typical import Typical

from sluicegate.selection.base import Pool
from sluicegate.testing import check_rule


@pytest.mark.parametrize("centre", [0.0, 0.5, 0.9])
def test_it_keeps_the_contract_of_every_rule(centre: float) -> None:
    check_rule(Typical, {"centre": centre})


@pytest.mark.parametrize(("centre", "kept"), [(0.5, "cde"), (0.0, "abc"), (1.0, "efg")])
def test_it_keeps_what_is_around_its_centre(centre: float, kept: str) -> None:
    pool = Pool(list("abcdefg"), {"perplexity": np.array([-9.0, -8, -4, -3, -2, -1, 0])}, by="perplexity")
    decided = Typical(Typical.Config(rows=3, centre=centre)).select(pool)
    assert "".join(np.array(pool.ids)[decided.kept]) == kept
