from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from sluicegate.errors import ConfigError
from sluicegate.registry import RULES
from sluicegate.selection.base import Group, Pool, Rule, best_first
from sluicegate.selection.top_k import TopK
from sluicegate.testing import check_rule

OPTIONS = {"threshold": {"at_least": -100.0}, "blend": {"signals": {"signal": 1.0, "other": 2.0}}}


@pytest.mark.parametrize("name", RULES.names())
def test_every_rule_keeps_the_contract(name: str) -> None:
    check_rule(RULES.get(name), OPTIONS.get(name))


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
