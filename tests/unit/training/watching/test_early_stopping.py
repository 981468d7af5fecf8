from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sluicegate.training.watching.early_stopping import StopEarly, evaluations_since_best
from sluicegate.training.watching.watch_config import EarlyStopping


@pytest.mark.parametrize(
    ("metric", "min_delta", "values", "waited"),
    [
        ("loss", 0.0, [3.0, 2.0, 1.0], 0),
        ("loss", 0.0, [3.0, 1.0, 2.0, 1.0], 2),
        ("loss", 0.5, [3.0, 2.7, 2.6, 2.4], 0),
        ("loss", 0.5, [3.0, 2.7, 2.6, 2.5], 3),
        ("accuracy", 0.0, [0.1, 0.3, 0.2], 1),
        ("margin", 0.1, [-1.0, -0.95], 1),
        ("loss", 0.0, [3.0], 0),
    ],
)
def test_what_an_improvement_is(metric: str, min_delta: float, values: list[float], waited: int) -> None:
    config = EarlyStopping(metric=metric, min_delta=min_delta)
    assert evaluations_since_best(values, config) == waited


def stopped(values: list[float], max_steps: int = 100) -> bool:
    """After an evaluation in a process that knows no more than the log of those before."""
    history = [{"loss": 9.0, "step": 1}, *({"eval_loss": value, "step": n} for n, value in enumerate(values))]
    state = SimpleNamespace(log_history=history, global_step=10, max_steps=max_steps)
    control: Any = SimpleNamespace(should_training_stop=False)
    StopEarly(EarlyStopping(patience=2)).on_evaluate(None, state, control)
    return control.should_training_stop


def test_it_stops_once_it_has_waited_long_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert not stopped([1.0, 2.0])
    assert capsys.readouterr().err == ""
    assert stopped([1.5, 2.0, 1.75])
    assert "early stopping at step 10: 2 evaluations without a better held-out loss than 1.5" in capsys.readouterr().err


def test_after_the_last_step_there_is_nothing_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    assert not stopped([1.5, 2.0, 1.75], max_steps=10)
    assert capsys.readouterr().err == ""
