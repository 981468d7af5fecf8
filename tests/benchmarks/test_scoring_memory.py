from __future__ import annotations

import pytest
from scoring_memory import fresh, in_gb, peak


def held(megabytes: int) -> tuple[int, int]:
    """The peak before and after so much is written."""
    before = peak()
    bytearray(b"1") * (megabytes << 20)
    return before, peak()


@pytest.mark.slow
def test_a_fresh_process_counts_what_it_holds_itself() -> None:
    before, after = fresh(held, 300)
    assert 290 << 20 < after - before < 330 << 20
    again, _ = fresh(held, 0)
    assert again < after - (200 << 20)


def test_gigabytes_are_rounded_to_a_thousandth() -> None:
    assert in_gb(3 * 2**29 + 1) == 1.5
