"""What holds for every shape, whatever stands in a row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_files import JSON
from rows_of_shapes import PAIRS, ROWS
from sluicegate.config import Config
from sluicegate.data.intake import Made, Shaped
from sluicegate.data.readers import Row
from sluicegate.data.shapes import Shape
from sluicegate.registry import SHAPES
from sluicegate.schema import pair_id, record_id

KINDS = {
    *("wrong type", "no known shape", "no column", "unknown role", "no answer", "no assistant turn", "empty turn"),
    *("no preference", "no clear preference", "no shared prompt", "no prompt", "a preference", "flagged"),
    *("deleted", "synthetic", "other language", "unanswered", "not the best path", "no parent", "same message"),
}
TURN = st.fixed_dictionaries({}, optional=dict.fromkeys(("role", "content", "from", "value"), JSON))
NAMES = sorted({name for row in ROWS.values() for name in row} | {"meta", "answer", "system", "history", "input"})
ROW = st.dictionaries(st.sampled_from(NAMES), JSON | st.lists(TURN, max_size=3), max_size=6)


@pytest.mark.parametrize("name", SHAPES.names())
def test_a_shape_says_what_it_is(name: str) -> None:
    shape = SHAPES.get(name)
    assert issubclass(shape, Shape)
    assert shape.name == name
    assert shape.columns
    assert not set(shape.columns) & set(shape.optional)
    assert issubclass(shape.Config, Config)
    shape.Config()
    assert (shape.__doc__ or "").strip()


@pytest.mark.parametrize("name", SHAPES.names())
@settings(max_examples=60, deadline=None)
@given(data=st.data(), make=st.sampled_from(["messages", "pairs"]))
def test_any_row_gives_records_or_reasons_and_is_counted_once(name: str, data: st.DataObject, make: Made) -> None:
    changed = st.builds(lambda row: {**ROWS[name], **row}, st.dictionaries(st.sampled_from(list(ROWS[name])), JSON))
    value: Any = data.draw(changed | ROW | JSON)
    shape = data.draw(st.sampled_from([name, "auto"]))
    candidates = list(Shaped("s", 10_000, shape, make=make).candidates([Row(1, value)], "f"))
    assert sum(c.n_rows for c in candidates) == 1
    for candidate in candidates:
        assert (candidate.record is None) == bool(candidate.reason)
        if candidate.record is None:
            assert candidate.reason.partition(":")[0] in KINDS
        else:
            json.dumps(json.loads(candidate.record["meta"]), allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.builds(lambda row: {"message_tree_id": "t", **row}, ROW | st.sampled_from([*ROWS.values()]))))
def test_rows_of_many_shapes_under_one_mark_are_each_counted_once(rows: list[Any]) -> None:
    placed = [Row(line, row) for line, row in enumerate(rows, start=1)]
    candidates = list(Shaped("s", 10_000, gathers="message_tree_id").candidates(placed, "f"))
    told = [row.line for c in candidates for row in (*c.earlier, *([] if c.again else [c.row]))]
    assert sorted(told) == [row.line for row in placed]


@pytest.mark.parametrize("name", sorted({*ROWS} - {"oasst_flat"}))
@pytest.mark.parametrize("make", ["messages", "pairs"])
@pytest.mark.parametrize("pairs_as", ["pairs", "chosen"])
def test_each_kind_is_made_of_its_shapes_or_of_the_chosen_side(name: str, make: Made, pairs_as: Any) -> None:
    (found,) = Shaped("s", 100, make=make, pairs_as=pairs_as).candidates([Row(1, ROWS[name])], "f")
    fits = (name in PAIRS) == (make == "pairs") or (name in PAIRS and pairs_as == "chosen")
    assert (found.record is not None) == fits, found.reason
    row: Any = found.record
    if row is None:
        assert found.reason in (
            "a preference: two answers, where messages are made",
            "no preference: one answer, where pairs are made",
        )
    elif make == "pairs":
        assert row["id"] == pair_id(row["prompt"], row["chosen"], row["rejected"])
    else:
        assert row["id"] == record_id(row["messages"])
        assert row["messages"][-1]["content"].startswith("a")
