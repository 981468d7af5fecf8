from __future__ import annotations

import pytest

from paired_sides import METHODS, side
from sluicegate.reporting.pairwise import Comparison, Side, compare


@pytest.fixture(scope="session")
def sides() -> list[Side]:
    """Three arms; the third was not asked the last question, and has two seeds."""
    return [side("base", "1100"), side("tuned", "1010"), side("twice", "101", "110")]


@pytest.fixture(scope="session")
def comparison(sides: list[Side]) -> Comparison:
    """Of them; do not write into it."""
    return compare(sides, "base", 5, METHODS)
