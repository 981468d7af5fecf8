"""Rows side by side."""

from __future__ import annotations

from sluicegate.models.encode import Encoded
from sluicegate.training.passes.padding import pad


def test_padding_stands_behind_and_is_no_label() -> None:
    rows = [Encoded("a", [5, 6, 7], [(2, 3)], 0, 0), Encoded("b", [8, 9], [(1, 2)], 0, 0)]
    assert {name: values.tolist() for name, values in pad(rows, pad_id=1).items()} == {
        "input_ids": [[5, 6, 7], [8, 9, 1]],
        "labels": [[-100, -100, 7], [-100, 9, -100]],
    }
