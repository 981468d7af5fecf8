from __future__ import annotations

from typing import Any

from sluicegate.scoring.length import Length


def test_it_counts_response_tokens_and_needs_no_model(make_shard: Any) -> None:
    assert Length().score(make_shard([3, 0, 12]), Length.Config()) == [3.0, "no response token left", 12.0]
