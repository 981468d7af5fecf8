from __future__ import annotations

import pytest

from sluicegate.reporting import numbers


@pytest.mark.parametrize(("share", "text"), [(0.614, "61.4 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (None, "–")])
def test_percent(share: float | None, text: str) -> None:
    assert numbers.percent(share) == text


@pytest.mark.parametrize(("value", "text"), [(0.117, "+11.7"), (-0.02, "−2.0"), (-0.0001, "+0.0")])
def test_points(value: float, text: str) -> None:
    assert numbers.points(value) == text


def test_points_without_a_sign() -> None:
    assert numbers.points(0.117, sign=False) == "11.7"


@pytest.mark.parametrize(("number", "text"), [(12345.0, "12,345"), (0, "0"), (None, "–")])
def test_count(number: float | None, text: str) -> None:
    assert numbers.count(number) == text


def test_decimals() -> None:
    assert numbers.decimals(0.96912) == "0.969"
    assert numbers.decimals(0.96912, 1) == "1.0"
    assert numbers.decimals(None) == "–"


def test_accuracy_and_bounds() -> None:
    assert numbers.accuracy({"accuracy": 0.614, "low": 0.58, "high": 0.6494}) == "61.4 % [58.0, 64.9]"
    assert numbers.accuracy({"accuracy": None}) == "–"
    assert numbers.bounds({"metric": "accuracy", "low": -0.021, "high": 0.15}) == "[−2.1, +15.0]"


def test_losses_and_their_differences() -> None:
    arm = {"accuracy": None, "loss": 1.35, "low": 1.3, "high": 1.4}
    assert numbers.result(arm, "loss") == "1.350 [1.300, 1.400]"
    assert numbers.result({**arm, "low": None}, "loss") == "1.350"
    assert numbers.result({**arm, "loss": None}, "loss") == numbers.result(arm, "accuracy") == "–"
    found = {"metric": "loss", "mean": -0.0312, "low": -0.05, "high": 0.0121}
    assert numbers.mean(found) == "−0.031"
    assert numbers.bounds(found) == "[−0.050, +0.012]"
    assert numbers.mean({"metric": "accuracy", "mean": 0.117}) == "+11.7"
    assert numbers.nats(-0.0001) == "+0.000"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min 00 s"),
        (75.3, "1 min 15 s"),
        (7322, "2 h 02 min"),
        (None, "–"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert numbers.duration(seconds) == text
