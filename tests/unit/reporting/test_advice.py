from __future__ import annotations

from typing import Any

from sluicegate.reporting.advice import advice


def arm(name: str, mean: float, verdict: str, ties: bool | None = None, units: float | None = 1.0, **more: Any) -> Any:
    signal, rule = name.split("/")
    gain = {"mean": mean, "low": mean - 0.03, "high": mean + 0.03}
    row = {"arm": name, "signal": signal, "rule": rule, "budget": "20 % of rows", "trusted": True, "gain": gain}
    return (
        row
        | {"verdict": verdict, "ties_with_best": ties, "forward_units": units, "metric": "accuracy", "seeds": 3}
        | more
    )


CONTROL = {"arm": "random", "gain": None}


def test_a_winner_that_is_told_apart_is_named_with_its_interval() -> None:
    arms = [CONTROL, arm("gate/clusters", 0.172, "better", True), arm("rds/plain", 0.01, "within noise")]
    assert advice(arms, []) == (
        "At 20 % of rows gate (clusters) beats random with the same trusted rows by 17.2 points [14.2, 20.2]; "
        "rds (plain) is within noise."
    )


def test_of_winners_that_are_not_told_apart_none_is_called_the_best() -> None:
    arms = [arm("gate/clusters", 0.06, "better", True, 2.5), arm("reference/clusters", 0.05, "better", True, 1.3)]
    said = advice(arms, [])
    assert "gate (clusters) and reference (clusters) beat random" in said
    assert "are not told apart (reference (clusters) is the cheapest of them, 1.3 forward passes)" in said


def test_an_arm_whose_cost_nobody_knows_is_not_the_cheapest() -> None:
    unpriced = [arm("deita/plain", 0.06, "better", True, units=None), arm("deita/clusters", 0.05, "better", True, None)]
    assert "the cheapest" not in advice(unpriced, [])
    assert "rds (plain) is the cheapest of them" in advice([*unpriced, arm("rds/plain", 0.04, "better", True)], [])


def test_a_runner_up_that_is_told_apart_is_behind() -> None:
    arms = [arm("gate/clusters", 0.16, "better", True), arm("reference/clusters", 0.05, "better", False)]
    assert "; reference (clusters) beats it by less." in advice(arms, [])


def test_inside_the_noise_nothing_wins() -> None:
    arms = [arm("gate/plain", 0.02, "within noise"), arm("ifd/plain", -0.09, "worse")]
    assert advice(arms, []) == (
        "At 20 % of rows nothing beats a random choice; gate (plain) is within noise, "
        "+2.0 points [−1.0, 5.0], ifd (plain) falls behind it."
    )


def test_where_all_fall_behind_none_is_within_noise() -> None:
    said = advice([arm("ifd/plain", -0.3, "worse")], [])
    assert said == "At 20 % of rows nothing beats a random choice; ifd (plain) falls behind it."


def test_budgets_may_take_turns() -> None:
    rows = [arm(f"{name}/plain", 0.2, "better", True, budget=at) for name in "ab" for at in ("5 rows", "9 rows")]
    assert advice(rows, []).count("beat random") == 2


def test_every_budget_has_its_say() -> None:
    other = arm("gate/plain", 0.02, "within noise", budget="5 rows")
    said = advice([arm("gate/plain", 0.1, "better", True), other], [])
    assert "At 20 % of rows gate (plain) beats" in said
    assert "; At 5 rows nothing beats" not in said
    assert "at 5 rows nothing beats" in said


def test_of_many_names_a_few_are_told() -> None:
    arms = [arm(f"s{n}/plain", 0.1, "better", True) for n in range(6)]
    assert "s0 (plain), s1 (plain) and 4 others beat random" in advice(arms, [])


def test_without_training_the_signals_are_told_of() -> None:
    signals = [{"signal": "length", "auroc": 0.4}, {"signal": "gate", "auroc": 0.97}, {"signal": "mix", "auroc": None}]
    assert advice([], signals).startswith("gate tells clean rows from faulty ones best, AUROC 0.970")
    assert "nothing tells" in advice([], [{"signal": "gate", "auroc": None}])


def test_a_winner_under_a_single_seed_is_told_as_such() -> None:
    said = advice([arm("gate/plain", 0.1, "better", True, seeds=1)], [])
    assert "beats random with the same trusted rows under the one seed that was tried by 10.0 points" in said
