"""What a gate is taught, and what it is examined on only."""

from __future__ import annotations

from typing import Any

from sluicegate.data.corrupt import KINDS, UNSEEN
from sluicegate.models.encode import Encoder
from sluicegate.testing import tiny_pool
from sluicegate.training.gates.lessons import make_lessons, shuffled
from sluicegate.training.gates.warmup_config import WarmupConfig


def test_unseen_kinds_are_never_in_the_lessons(tiny_tokenizer: Any) -> None:
    lessons = make_lessons(tiny_pool(30), Encoder(tiny_tokenizer), WarmupConfig())
    assert {x.kind for x in lessons if x.taught} == {"clean", *KINDS}
    examined = {x.kind for x in lessons if not x.taught}
    assert examined <= set(UNSEEN)
    assert len(examined) >= 3


def test_every_copy_knows_its_row_and_is_of_the_kind_it_says(tiny_tokenizer: Any) -> None:
    rows = tiny_pool(30)
    lessons = make_lessons(rows, Encoder(tiny_tokenizer), WarmupConfig(corruptions=["swap", "repeat"]))
    assert {x.of for x in lessons} == {r["id"] for r in rows}
    assert all((x.record["id"] == x.of) == x.good for x in lessons)
    assert {"swap", "repeat"} == {x.kind for x in lessons if x.taught and not x.good}
    assert "repeat" not in {x.kind for x in lessons if not x.taught}


def test_nothing_is_taught_where_all_is_for_the_examination(tiny_tokenizer: Any) -> None:
    lessons = make_lessons(tiny_pool(10), Encoder(tiny_tokenizer), WarmupConfig(), taught=False)
    assert not any(x.taught for x in lessons)
    assert {x.kind for x in lessons} >= {"clean", *KINDS}


def test_only_the_rows_and_the_seed_decide_their_order() -> None:
    rows = tiny_pool(12)
    assert shuffled(rows, 0) == shuffled(rows[::-1], 0) != shuffled(rows, 1)
