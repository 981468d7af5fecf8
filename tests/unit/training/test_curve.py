from __future__ import annotations

import pytest

from sluicegate.config import build
from sluicegate.errors import SluiceError
from sluicegate.training.curve import read_curve
from sluicegate.training.sft_config import SftConfig

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
