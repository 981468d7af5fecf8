from __future__ import annotations

from typing import Any

import pytest

from sluicegate.reporting.headline import headline

ARMS: list[dict[str, Any]] = [
    {"arm": "gate", "accuracy": 0.6, "low": 0.5, "high": 0.7, "loss": 1.0},
    {"arm": "random", "accuracy": 0.4, "low": 0.3, "high": 0.5, "loss": 1.25},
]


def difference(mean: float, low: float, high: float, same_trusted: bool = True) -> list[dict[str, Any]]:
    bounds = {"mean": mean, "low": low, "high": high}
    return [{"arm": "gate", "against": "random", "same_trusted": same_trusted, **bounds}]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (difference(0.117, 0.09, 0.15), "gate beats random by 11.7 points [9.0, 15.0] with the same trusted rows"),
        (difference(0.117, 0.09, 0.15, False), "gate beats random by 11.7 points [9.0, 15.0]"),
        (difference(-0.05, -0.08, -0.01, False), "gate falls behind random by 5.0 points [1.0, 8.0]"),
        (difference(0.05, -0.01, 0.11, False), "gate and random are within noise: +5.0 points [−1.0, 11.0]"),
        (difference(0.05, 0.0, 0.11, False), "gate and random are within noise: +5.0 points [0.0, 11.0]"),
    ],
)
def test_no_stronger_than_its_interval(found: list[dict[str, Any]], text: str) -> None:
    assert headline("gate", "random", ARMS, found) == text


def test_without_a_comparison_the_lead_stands_alone() -> None:
    assert headline("gate", "chance", ARMS, []) == "gate answers 60.0 % [50.0, 70.0] of the questions right"


def test_the_comparison_is_that_of_the_lead() -> None:
    other = [{**difference(0.1, 0.05, 0.2)[0], "arm": "all"}]
    assert "answers" in headline("gate", "random", ARMS, other)


def test_without_answers_the_losses_are_told() -> None:
    arms = [{**arm, "accuracy": None} for arm in ARMS]
    tail = "(lower is better; no interval)"
    assert headline("gate", "random", arms, []) == f"Loss on the held-out rows: gate 1.000, random 1.250 {tail}"
    assert headline("gate", "chance", arms, []) == f"Loss on the held-out rows: gate 1.000 {tail}"
    assert headline("random", "random", arms[1:], []) == f"Loss on the held-out rows: random 1.250 {tail}"
