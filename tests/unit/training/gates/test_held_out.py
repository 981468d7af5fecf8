"""No row is judged by a gate that learned from it, and what is told of the judgement is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.models.encode import Encoded
from sluicegate.testing import tiny_pool
from sluicegate.training.gates import held_out
from sluicegate.training.gates.features import Features
from sluicegate.training.gates.fit import fit, score
from sluicegate.training.gates.held_out import Judged, measure, out_of_fold, set_aside, tell
from sluicegate.training.gates.lessons import Lesson
from sluicegate.training.gates.warmup_config import WarmupConfig

WIDTH, TOKENS = 24, 3


def lesson(row: int, kind: str = "clean", taught: bool = True) -> Lesson:
    return Lesson(tiny_pool(1)[0], Encoded(str(row), [1, 2], [(1, 2)], 1, 0), str(row), kind, taught)


def noise(rows: int) -> Features:
    """States in which nothing tells one row from another."""
    torch.manual_seed(0)
    states, surprise = torch.randn(rows * (TOKENS + 1), WIDTH), torch.randn(rows * TOKENS, 4)
    now = torch.tensor([row * (TOKENS + 1) + t + 1 for row in range(rows) for t in range(TOKENS)])
    return Features([states], now, surprise, TOKENS * torch.arange(rows + 1), torch.device("cpu"))


def test_thresholds_keep_their_share_of_rows_nobody_learned_from() -> None:
    """On noise a gate learns its own rows by heart, so a threshold on these would keep far too few of any others."""
    n, fresh = 100, 200
    features, config = noise(2 * n + fresh), WarmupConfig(epochs=12, batch_size=32)
    lessons = [lesson(i) for i in range(n)] + [lesson(i, "swap") for i in range(n)]
    threshold = measure(out_of_fold(features, lessons, config))["thresholds"]["0.8"]
    good, rows = torch.arange(2 * n + fresh) < n, torch.arange(2 * n)
    gates = fit(features, good, rows, config)
    new = score(gates, features, torch.arange(2 * n, 2 * n + fresh), 64)
    own = score(gates, features, torch.arange(n), 64)
    assert 0.68 < float((new >= threshold).float().mean()) < 0.92
    assert float((new >= own.quantile(0.2)).float().mean()) < 0.6, "what the gate's own rows would have said"


def test_no_fold_learns_from_the_rows_it_judges_nor_from_what_is_not_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = [lesson(i, *more) for i in range(12) for more in ((), ("swap",), ("repeat", False))]

    def learned(features: Any, good: Any, rows: torch.Tensor, config: Any) -> list[int]:
        return rows.tolist()

    def judged(gates: list[int], features: Any, rows: torch.Tensor, size: int) -> torch.Tensor:
        seen = {lessons[i].of for i in gates}
        assert seen.isdisjoint(lessons[i].of for i in rows.tolist())
        assert all(lessons[i].taught for i in gates)
        return rows.float()

    monkeypatch.setattr(held_out, "fit", learned)
    monkeypatch.setattr(held_out, "score", judged)
    found = out_of_fold(noise(1), lessons, WarmupConfig())
    assert [(x.lesson, x.score) for x in found] == [(one, float(i)) for i, one in enumerate(lessons)]


def judge(scores: dict[str, Sequence[float]], unseen: Sequence[str] = ()) -> list[Judged]:
    return [Judged(lesson(i, k, k not in unseen), s) for k, own in scores.items() for i, s in enumerate(own)]


def test_aurocs_by_hand() -> None:
    facts = measure(
        judge({"clean": [1, 2, 3, 4], "swap": [0, 0], "repeat": [2.5], "negate": [9]}, ["repeat", "negate"])
    )
    assert facts["auroc_by_kind"] == {"swap": 1.0, "repeat": 0.5, "negate": 0.0}
    assert facts["auroc"] == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert facts["auroc_unseen"] == pytest.approx(0.25)
    assert facts["held_out_rows"] == 4


def test_without_unseen_damage_nothing_is_said_of_it(capsys: Any) -> None:
    facts = measure(judge({"clean": [1, 2], "swap": [0]}))
    assert facts["auroc_unseen"] is None
    tell(facts)
    assert "never taught" not in capsys.readouterr().err


def test_a_threshold_keeps_at_least_its_share() -> None:
    scores = np.random.default_rng(0).normal(size=97).tolist()
    for share, least in measure(judge({"clean": scores, "swap": [0]}))["thresholds"].items():
        kept = np.mean(np.array(scores) >= least)
        assert float(share) <= kept < float(share) + 2 / 97


@pytest.mark.parametrize(("rows", "rough"), [(20, False), (19, True)])
def test_an_auroc_over_few_rows_is_called_rough(rows: int, rough: bool, capsys: Any) -> None:
    tell(measure(judge({"clean": range(rows), "swap": [0], "repeat": [3]}, ["repeat"])))
    told = capsys.readouterr().err
    assert f"on damage to {rows} rows the gate did not learn from" in told
    assert "on kinds of damage it is never taught" in told
    assert told.endswith(": a rough number\n") == rough


def test_a_fifth_is_set_aside_for_gates_too_slow_to_fit_five_times() -> None:
    rows = tiny_pool(40)
    learned, held = set_aside(rows, seed=0)
    assert (len(learned), len(held)) == (32, 8)
    assert sorted(r["id"] for r in learned + held) == sorted(r["id"] for r in rows)
    assert set_aside(rows[::-1], seed=0) == (learned, held)
