from __future__ import annotations

from sluicegate.scoring.excess import Excess
from sluicegate.scoring.reference import Reference


def test_it_is_what_the_copy_says_less_what_the_base_says() -> None:
    assert (Excess.reads, Excess.minus) == ("tuned", "base")
    assert Excess.score is Reference.score
