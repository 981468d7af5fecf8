from __future__ import annotations

import re
from typing import Any

from sluicegate.data.corruptions.swap import swap


def test_the_units_and_the_space_between_them_are_kept(damage: Any) -> None:
    for text in damage(swap, "a bb\nccc  d"):
        assert sorted(text.split()) == ["a", "bb", "ccc", "d"]
        assert [len(gap) for gap in re.findall(r"\s+", text)] == [1, 1, 2]
    assert set(damage(swap, "Yes")) == {None}
