from __future__ import annotations

import numpy as np
import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.selection.base import Pool, Rule
from sluicegate.selection.top_k import TopK


def pool(scores: list[float], ids: list[str] | None = None, why: list[str] | None = None) -> Pool:
    ids = ids or [f"r{i}" for i in range(len(scores))]
    columns = {"gate": np.array(scores, np.float32), "gate_why": np.array(why or [""] * len(scores), object)}
    return Pool(ids, columns, by="gate")


def top(**budget: float) -> TopK:
    return TopK(build(TopK.Config, budget))


@pytest.mark.parametrize(
    ("budget", "total", "kept"),
    [({"rows": 3}, 10, 3), ({"fraction": 0.2}, 10, 2), ({"fraction": 0.01}, 10, 1), ({"fraction": 1.0}, 7, 7)],
)
def test_a_budget_is_rows_or_a_share_of_all_records(budget: dict[str, float], total: int, kept: int) -> None:
    assert build(Rule.Config, budget).budget(total) == kept


@pytest.mark.parametrize("budget", [{}, {"rows": 1, "fraction": 0.5}, {"tokens": 1, "token_fraction": 0.5}])
def test_exactly_one_budget(budget: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="exactly one budget"):
        build(Rule.Config, budget, "options")


@pytest.mark.parametrize(
    "budget", [{"rows": 0}, {"fraction": 0.0}, {"fraction": 1.5}, {"rows": 2.5}, {"token_fraction": 2}]
)
def test_a_budget_out_of_range_is_refused(budget: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=rf"options\.{next(iter(budget))}"):
        build(Rule.Config, budget, "options")


def test_records_without_a_score_count_for_the_budget_and_are_never_kept() -> None:
    decided = top(fraction=0.5).select(pool([np.nan, 1, np.nan, 2], why=["no response token left", "", "", ""]))
    assert decided.kept.tolist() == [False, True, False, True]
    assert decided.rank.tolist() == [2, 1, 3, 0]
    assert decided.reason[0] == "no gate score: no response token left"


def test_a_budget_beyond_the_pool_keeps_what_may_be_kept() -> None:
    decided = top(rows=99).select(pool([3, np.nan, 1]), barred={2: "copy of r0"})
    assert decided.kept.tolist() == [True, False, False]
    assert decided.reason[2] == "copy of r0"


def test_a_pool_of_none_and_a_pool_without_any_score_keep_nothing() -> None:
    assert list(top(rows=1).select(pool([])).rows()) == []
    assert not top(rows=1).select(pool([np.nan, np.nan])).kept.any()


def test_rows_are_decisions_of_plain_values() -> None:
    first = next(top(rows=1).select(pool([1, 2])).rows())
    assert first == {"id": "r0", "kept": False, "rank": 1, "reason": "not among the best 1 of 2 by gate"}
    assert type(first["kept"]) is bool
    assert type(first["rank"]) is int


def test_a_budget_of_label_tokens_keeps_what_fits_best_first() -> None:
    some = Pool(list("abcd"), {"x": np.array([4.0, 3.0, 2.0, 1.0]), "n_label_tokens": np.array([10, 20, 5, 1])}, by="x")

    def kept(tokens: int) -> int:
        return int(TopK(build(TopK.Config, {"tokens": tokens})).select(some).kept.sum())

    assert [kept(n) for n in (1, 10, 29, 30, 34, 35, 999)] == [1, 1, 1, 2, 2, 3, 4]


def test_a_share_of_label_tokens_is_one_of_all_records_those_without_a_score_too() -> None:
    columns = {"x": np.array([4.0, np.nan, 2.0, 1.0]), "n_label_tokens": np.array([10, 64, 5, 1])}

    def kept(share: float) -> int:
        rule = TopK(build(TopK.Config, {"token_fraction": share}))
        return int(rule.select(Pool(list("abcd"), columns, by="x")).kept.sum())

    assert [kept(share) for share in (0.01, 0.18, 0.1875, 0.19, 0.2, 1)] == [1, 1, 2, 2, 3, 3]


def test_copies_are_all_but_the_first_by_id() -> None:
    ids = ["b.2", "a", "b", "c.3", "c.2"]
    assert pool([0] * 5, ids).copies() == {0: "copy of b", 3: "copy of c.2"}


def test_a_signal_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no column 'gates'(.|\n)*did you mean 'gate'"):
        TopK(build(TopK.Config, {"rows": 1})).select(Pool(["a"], {"gate": np.zeros(1)}, by="gates"))
