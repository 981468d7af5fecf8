from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.registry import RULES
from sluicegate.selection.base import Decisions, Group, Pool, Rule
from sluicegate.selection.order import best_first
from sluicegate.selection.top_k import TopK
from sluicegate.testing import check_rule

OPTIONS = {"threshold": {"at_least": -100.0}, "blend": {"signals": {"signal": 1.0, "other": 2.0}}}


@pytest.mark.parametrize("name", RULES.names())
def test_every_rule_keeps_the_contract(name: str) -> None:
    check_rule(RULES.get(name), OPTIONS.get(name))


BUDGETS = st.one_of(
    st.fixed_dictionaries({"rows": st.integers(1, 40)}),
    st.fixed_dictionaries({"fraction": st.floats(0.01, 1)}),
    st.fixed_dictionaries({"tokens": st.integers(1, 400)}),
    st.fixed_dictionaries({"token_fraction": st.floats(0.01, 1)}),
)
FEW = st.sampled_from([-1.0, 0.0, 0.5, 2.0])
"""Values so few that ties are the rule."""


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Up to 30 rows with every column, unsorted; some have no score."""
    n = draw(st.integers(1, 30))
    ids = draw(st.permutations([f"{i % 20:02x}{'.2' * (i >= 20)}" for i in range(n)]))
    score = np.array(draw(st.lists(st.one_of(FEW, st.just(np.nan)), min_size=n, max_size=n)), dtype=np.float32)
    rows = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    columns = {
        "signal": score,
        "other": np.array(rows(FEW)),
        "source": np.array(rows(st.sampled_from("abc")), dtype=object),
        "n_label_tokens": np.array(rows(st.integers(1, 30)), dtype=np.int32),
        "prompt_state": np.array([[a, 1.0] for a in rows(FEW)], dtype=np.float32),
        "signal_targets": np.array([[s, t] for s, t in zip(score, rows(FEW), strict=True)], dtype=np.float32),
    }
    return Pool(ids, columns, by="signal")


@pytest.mark.parametrize("name", RULES.names())
@given(pool=pools(), budget=BUDGETS, seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_budget_is_kept_to_and_neither_order_nor_place_of_a_row_matters(
    name: str, pool: Pool, budget: dict[str, Any], seed: int
) -> None:
    rule = RULES.get(name)(build(RULES.get(name).Config, OPTIONS.get(name, {}) | budget))
    decided, tokens = rule.select(pool, pool.copies()), pool.column("n_label_tokens")
    may_be = [row for row in np.flatnonzero(~np.isnan(pool.score)) if row not in pool.copies()]
    room = rule.config.token_budget(tokens.sum())
    assert sorted(decided.rank) == list(range(len(pool))), "every row has its place"
    assert sorted(decided.rank[decided.kept]) == list(range(decided.kept.sum())), "the kept come first"
    assert set(np.flatnonzero(decided.kept)) <= set(may_be)
    if room is None:
        assert decided.kept.sum() == min(rule.config.budget(len(pool)), len(may_be))
    else:
        assert decided.kept.sum() == min(1, len(may_be)) or tokens[decided.kept].sum() <= room
    mixed = np.random.default_rng(seed).permutation(len(pool))
    assert sorted(by_id(rule.select(pool.take(mixed), pool.take(mixed).copies()))) == sorted(by_id(decided))


@pytest.mark.parametrize("name", sorted({*RULES.names()} - {"random", "balanced_random", "middle"}))
@given(n=st.integers(1, 30), rows=st.integers(1, 30), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_of_equal_rows_the_first_by_id_are_kept(name: str, n: int, rows: int, seed: int) -> None:
    ids = [f"{i:02x}" for i in np.random.default_rng(seed).permutation(n)]
    same = {"signal": np.ones(n), "other": np.ones(n), "source": np.full(n, "a", dtype=object)}
    same |= {"prompt_state": np.ones((n, 2)), "signal_targets": np.ones((n, 3))}
    rule = RULES.get(name)(build(RULES.get(name).Config, OPTIONS.get(name, {}) | {"rows": rows}))
    decided = rule.select(Pool(ids, same, by="signal"))
    assert sorted(decided.ids[decided.kept]) == sorted(ids)[:rows]


def by_id(decided: Decisions) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in decided.rows()]


class KeepsTooFew(TopK):
    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        yield Group(best_first(pool.score), "too few", most=budget - 1)


class ForgetsSome(TopK):
    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        yield Group(best_first(pool.score)[:budget], "the chosen")


class ReadsMeta(TopK):
    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        clean = np.array(["clean" in text for text in pool.column("meta")])
        yield Group(np.argsort(~clean, kind="stable"), "the clean")


class Changes(TopK):
    calls = 0

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        Changes.calls += 1
        yield Group(np.roll(best_first(pool.score), Changes.calls), "the lucky")


class Undocumented(TopK):
    class Config(TopK.Config):
        temperature: float = 1.0


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        (KeepsTooFew, "kept of a budget"),
        (ForgetsSome, "place every row"),
        (ReadsMeta, "no column 'meta'"),
        (Changes, "second call"),
        (Undocumented, "temperature"),
    ],
)
def test_the_check_finds(rule: type[Rule], broken: str) -> None:
    with pytest.raises((AssertionError, ValueError, ConfigError), match=broken):
        check_rule(rule)
