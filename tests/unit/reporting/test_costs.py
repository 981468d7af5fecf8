from __future__ import annotations

import shutil
from pathlib import Path

from fake_lineage import FakeLineage
from sluicegate.reporting.costs import Cost, cost_of
from sluicegate.testing import sealed


def test_all_trainings_behind_a_model_add_up(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    made = FakeLineage(tmp_path)
    sft = made.make("model", "sft", lambda out: {"label_tokens": 900}, model=made.base, data=made.pool)
    dpo = made.make("model", "dpo", lambda out: {"label_tokens": 40}, model=sft, data=made.pool)
    assert cost_of(dpo) == Cost(sft.seconds + dpo.seconds, 940)


def test_a_pretraining_counts_what_it_read(tmp_path: Path) -> None:
    made = sealed(tmp_path, "model", lambda out: {"tokens": 70})
    after = sealed(tmp_path, "model", lambda out: {"tokens": 5}, {"init": made})
    assert cost_of(after).tokens == 75


def test_of_a_model_from_elsewhere_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    assert cost_of(FakeLineage(tmp_path).base) == cost_of(None) == Cost(None, None)


def test_what_is_gone_does_not_count(tmp_path: Path) -> None:
    first = sealed(tmp_path, "model", lambda out: {"label_tokens": 70})
    after = sealed(tmp_path, "model", lambda out: {"label_tokens": 5}, {"model": first})
    shutil.rmtree(first.path)
    assert cost_of(after).tokens == 5
