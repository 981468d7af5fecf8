from __future__ import annotations

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off import order

FULL = bake_off()


def test_arms_stand_by_gain_and_ties_by_name() -> None:
    arms = order.contestants(FULL, "20 % of rows")
    gains = [arm["gain"]["mean"] for arm in arms]
    assert len(arms) == 26
    assert gains == sorted(gains, reverse=True)
    level = {**FULL, "arms": [arm | {"gain": arm["gain"] and dict.fromkeys(arm["gain"], 0.1)} for arm in FULL["arms"]]}
    names = [arm["arm"] for arm in order.contestants(level, "20 % of rows")]
    assert names == sorted(names)


def test_an_unknown_gain_stands_last() -> None:
    best = order.contestants(FULL, "20 % of rows")[0]["arm"]
    arms = [arm | {"gain": None} if arm["arm"] == best else arm for arm in FULL["arms"]]
    assert order.contestants({**FULL, "arms": arms}, "20 % of rows")[-1]["arm"] == best


def test_signals_stand_by_auroc_or_by_name() -> None:
    assert [signal["signal"] for signal in order.signals(FULL)][:2] == ["gate", "boost"]
    blind = [signal["signal"] for signal in order.signals(bake_off(faults=False))]
    assert blind == sorted(blind)


def test_the_best_control_stands_first_whatever_best_means() -> None:
    names = ["random, with trusted rows", "all rows", "random", "trusted rows alone"]
    for metric in ("accuracy", "loss"):
        assert [arm["arm"] for arm in order.controls(bake_off(metric), "20 % of rows")] == names


def test_each_budget_has_its_own_random_arms() -> None:
    assert order.budgets(FULL) == ["20 % of rows", "20 % of label tokens"]
    for budget in order.budgets(FULL):
        assert [arm["budget"] for arm in order.controls(FULL, budget)] == [budget, "", budget, ""]


def test_faults_and_rules() -> None:
    assert order.faults(FULL)[:2] == ["gibberish", "mismatch"]
    assert order.rules(FULL) == order.choices(FULL) == ["plain", "clusters"]
    blind = bake_off(faults=False, arms=False)
    assert order.faults(blind) == order.choices(blind) == order.rules(blind) == order.budgets(blind) == []
