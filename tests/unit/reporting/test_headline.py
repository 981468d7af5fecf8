from __future__ import annotations

from typing import Any

import pytest

from sluicegate.reporting.headline import headline

ARMS: list[dict[str, Any]] = [
    {"arm": "gate", "accuracy": 0.6, "low": 0.5, "high": 0.7, "loss": 1.0},
    {"arm": "random", "accuracy": 0.4, "low": 0.3, "high": 0.5, "loss": 1.25},
]


def difference(
    mean: float, low: float, high: float, same_trusted: bool = True, metric: str = "accuracy"
) -> list[dict[str, Any]]:
    bounds = {"mean": mean, "low": low, "high": high, "metric": metric}
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
    assert headline("gate", "accuracy", ARMS, found) == text


def test_without_a_comparison_the_lead_stands_alone() -> None:
    assert headline("gate", "accuracy", ARMS, []) == "gate answers 60.0 % [50.0, 70.0] of the questions right"


def test_the_comparison_is_that_of_the_lead() -> None:
    other = [{**difference(0.1, 0.05, 0.2)[0], "arm": "all"}]
    assert "answers" in headline("gate", "accuracy", ARMS, other)


LOSSES: list[dict[str, Any]] = [
    {"arm": "gate", "accuracy": None, "low": 0.9, "high": 1.1, "loss": 1.0},
    {"arm": "random", "accuracy": None, "low": 1.2, "high": 1.3, "loss": 1.25},
]


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ((-0.031, -0.05, -0.012), "gate beats random: loss lower by 0.031 [0.012, 0.050] with the same trusted rows"),
        (
            (0.03, 0.01, 0.05),
            "gate falls behind random: loss higher by 0.030 [0.010, 0.050] with the same trusted rows",
        ),
        (
            (-0.01, -0.03, 0.01),
            "gate and random are within noise: loss difference −0.010 [−0.030, +0.010] with the same trusted rows",
        ),
        (
            (-0.01, -0.03, 0.0),
            "gate and random are within noise: loss difference −0.010 [−0.030, +0.000] with the same trusted rows",
        ),
    ],
)
def test_a_lower_loss_is_better(bounds: tuple[float, float, float], text: str) -> None:
    assert headline("gate", "loss", LOSSES, difference(*bounds, metric="loss")) == text


def test_a_loss_alone() -> None:
    alone = "has a loss of 1.000 [0.900, 1.100] on the held-out rows (lower is better)"
    assert headline("gate", "loss", LOSSES, []) == f"gate {alone}"


@pytest.mark.parametrize(
    ("accuracy", "text"),
    [(0.0, "No model answers any question right"), (1.0, "Every model answers every question right")],
)
def test_accuracies_that_tell_nothing_are_named(accuracy: float, text: str) -> None:
    arms = [{**arm, "accuracy": accuracy} for arm in LOSSES]
    found = headline("gate", "loss", arms, difference(-0.031, -0.05, -0.012, False, "loss"))
    assert found == f"{text}; gate beats random: loss lower by 0.031 [0.012, 0.050]"


def test_neither_answers_nor_replies() -> None:
    arms = [{**LOSSES[0], "loss": None, "low": None, "high": None}]
    assert headline("gate", "accuracy", arms, []).startswith("gate was measured on nothing")
