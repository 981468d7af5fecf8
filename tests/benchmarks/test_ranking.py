from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import ranking


@pytest.mark.parametrize("rule", ranking.RULES)
def test_every_rule_ranks_made_up_rows(rule: str) -> None:
    found = ranking.rank(rule, 300)
    assert found["seconds"] < 5
    assert 0 < found["rows_gb"] <= found["peak_gb"]


def test_the_stage_selects_from_made_up_tables(tmp_path: Path) -> None:
    ranking.write(tmp_path, 300)
    assert ranking.select(tmp_path)["seconds"] < 5
    assert len((tmp_path / "out" / "selected.jsonl").read_text().splitlines()) == 30


def test_ids_are_those_of_records_in_no_order() -> None:
    ids = ranking.ids(1000)
    assert len(set(ids)) == 1000
    assert {len(one) for one in ids} == {16}
    assert set("".join(ids)) == set("0123456789abcdef")
    assert 400 < (ids[1:] > ids[:-1]).sum() < 600
    assert 0 < np.isnan(ranking.column(1000)).sum() <= 10
