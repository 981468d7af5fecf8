from __future__ import annotations

from sluicegate.reporting.bake_off.column import of_key
from sluicegate.reporting.numbers import count


def test_a_column_of_one_key() -> None:
    column = of_key("rows", "n_rows", count, "how many")
    assert column.value({"n_rows": 1200}) == 1200
    assert column.cell({"n_rows": 1200}) == "1,200"
    assert column.value({"n_rows": None}) is None
    assert column.cell({"n_rows": None}) == "–"
