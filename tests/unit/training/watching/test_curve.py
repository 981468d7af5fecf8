from __future__ import annotations

import pytest

from sluicegate.config import build
from sluicegate.errors import SluiceError
from sluicegate.training.sft_config import SftConfig
from sluicegate.training.watching.curve import read_curve, read_evaluations, steps_after

CONFIG = build(SftConfig, {"learning_rate": 0.5})


def entry(step: int, loss: float) -> dict[str, float]:
    return {"step": step, "loss": loss, "grad_norm": 1.0, "learning_rate": 0.1, "margin": 0.2, "epoch": 1.0}


def test_a_curve_has_the_points_that_tell_a_loss() -> None:
    history = [entry(1, 2.0), {"step": 1, "train_runtime": 3.0}, entry(2, 1.5)]
    point = {"step": 2, "loss": 1.5, "grad_norm": 1.0, "learning_rate": 0.1}
    assert read_curve(history, "fine-tuning", CONFIG)[1] == point
    assert read_curve(history, "fine-tuning", CONFIG, ["margin"])[1] == point | {"margin": 0.2}


def test_a_loss_that_is_no_number_is_told_with_its_step_and_the_rate() -> None:
    with pytest.raises(SluiceError, match="fine-tuning diverged: the loss is nan at step 2") as caught:
        read_curve([entry(1, 2.0), entry(2, float("nan"))], "fine-tuning", CONFIG)
    assert caught.value.hint == "lower learning_rate, now 0.5"


def test_a_long_curve_is_means_that_end_at_the_last_step() -> None:
    curve = read_curve([entry(step, float(step)) for step in range(1, 48)], "fine-tuning", CONFIG)
    assert [point["step"] for point in curve[:3]] == [1, 3, 5]
    assert [point["loss"] for point in curve[:3]] == [1.0, 2.5, 4.5]
    assert (curve[-1]["step"], curve[-1]["loss"]) == (47, 46.5)


def test_steps_beyond_one_are_found_among_other_entries() -> None:
    history = [entry(1, 2.0), {"step": 1, "eval_loss": 3.0}, entry(2, 1.5), {"step": 2, "eval_loss": 2.0}, entry(3, 1)]
    assert [found["step"] for found in steps_after(history, 1)] == [2, 3]
    assert steps_after(history, 3) == []


def test_evaluations_have_the_names_users_know() -> None:
    history = [entry(1, 2.0), {"step": 1, "eval_loss": 3.0, "eval_margin": 0.1, "epoch": 0.5}]
    assert read_evaluations(history) == [{"step": 1, "loss": 3.0, "margin": 0.1}]
