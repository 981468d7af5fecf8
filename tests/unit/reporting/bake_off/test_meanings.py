from __future__ import annotations

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.arm_columns import arm_columns
from sluicegate.reporting.bake_off.meanings import meanings
from sluicegate.reporting.bake_off.signal_columns import signal_columns


def test_every_column_is_explained_once() -> None:
    full = bake_off()
    found = meanings(full)
    for column in [*signal_columns(full), *arm_columns(full)]:
        assert [said for heads, said in found.items() if column.head in heads.split(" · ")] == [column.meaning]
    assert "clean at 10/20/30 %, plain · clean at 10/20/30 %, clusters" in found


def test_only_what_is_shown_is_explained() -> None:
    found = meanings(bake_off(arms=False, faults=False))
    assert "AUROC" not in found
    assert "arm" not in found
