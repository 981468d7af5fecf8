from __future__ import annotations

import numpy as np

from sluicegate.data.labels import Labels


def test_texts_and_whole_numbers_are_told_apart_as_they_are() -> None:
    assert Labels.of(np.array(["b", "a", "b"])).values == ["a", "b"]
    assert Labels.of(np.array([3, 1, 3])).values == ["1", "3"]


def test_other_numbers_are_told_apart_by_quarters() -> None:
    told = Labels.of(np.array([0.1, 0.2, 0.3, 0.4, np.nan, 9.0, -5.0, 0.25, 0.35]))
    assert [told.values[i] for i in told.member] == ["q1", "q2", "q3", "q4", "none", "q4", "q1", "q2", "q3"]
    assert {told.values[i] for i in Labels.of(np.full(3, np.nan)).member} == {"none"}


def test_a_value_gives_every_row_its_number() -> None:
    told = Labels.of(np.array(["zh", "en", "other", "en"]))
    assert told.spread({"en": 2.0, "fr": 5.0}, default=1.0).tolist() == [1, 2, 1, 2]


def test_rows_are_counted_by_value() -> None:
    told = Labels.of(np.array(["zh", "en", "other", "en"]))
    assert told.count(np.array([1, 1, 3, 0])) == {"en": 3, "zh": 1}
