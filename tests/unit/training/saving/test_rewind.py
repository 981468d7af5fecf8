"""Going back from a step that went astray."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import nan
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from transformers import Trainer

from sluicegate.errors import SluiceError
from sluicegate.testing import tiny_model
from sluicegate.training.saving.checkpoints import Checkpoints
from sluicegate.training.watching.watch import Watch
from tunings import SHORT, Stopped, assert_same, tuned

RATE = SHORT["learning_rate"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base"))


@contextmanager
def astray(step: int, times: int = 1, factor: float = nan) -> Iterator[None]:
    """The loss of a step is another, so often as it is done anew."""
    takes, left = Trainer.training_step, iter(range(2 * times))  # a step has two passes

    def fails(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = takes(self, *args, **kwargs)
        return loss * factor if self.state.global_step + 1 == step and next(left, None) is not None else loss

    with patch.object(Trainer, "training_step", fails):
        yield


def told(step: int, back_to: int, rate: float) -> dict[str, Any]:
    return {"step": step, "loss": None, "why": "the loss is nan", "back_to": back_to, "rate": rate}


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_without_a_checkpoint_it_is_a_training_at_the_lower_rate(
    kind: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: dict[str, Any] = {"method": "lora", "checkpoints": {"every": 0}}
    with astray(3):
        made = tuned(kind, base, tmp_path / "out", **settings)
    assert made.rewinds == [told(3, 0, RATE / 2)]
    assert "the loss is nan at step 3; back to step 0 at 0.005, which is 0.5 of the learning rate" in (
        " ".join(capsys.readouterr().err.split())
    )
    assert_same(made, tuned(kind, base, tmp_path / "slower", **settings, learning_rate=RATE / 2))


def test_noise_on_embeddings_stays_what_it_is(base: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"checkpoints": {"every": 0}, "neftune_alpha": 5.0}
    with astray(3):
        made = tuned("sft", base, tmp_path / "out", **settings)
    assert_same(made, tuned("sft", base, tmp_path / "slower", **settings, learning_rate=RATE / 2))


@pytest.mark.parametrize("kind", ["sft", "dpo"])
def test_it_goes_back_to_the_last_good_checkpoint(kind: str, base: Path, tmp_path: Path) -> None:
    with astray(4):
        made = tuned(kind, base, tmp_path / "out", method="lora")
    assert made.rewinds == [told(4, 2, RATE / 2)], "what went wrong in step 4 may have gone wrong in step 3"
    whole = tuned(kind, base, tmp_path / "whole", method="lora")
    rates = [[point["learning_rate"] for point in one.curve] for one in (made, whole)]
    assert rates[0] == [*rates[1][:2], *(rate / 2 for rate in rates[1][2:])]
    assert [point["loss"] for point in made.curve[:3]] == [point["loss"] for point in whole.curve[:3]]


@pytest.mark.parametrize("every", [0, 1])
def test_a_kill_in_between_changes_nothing(every: int, base: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"method": "lora", "checkpoints": {"every": every}}
    with astray(4):
        whole = tuned("sft", base, tmp_path / "whole", **settings)
    killed = patch.object(Checkpoints, "prune", side_effect=[None, Stopped])  # once it is noted that it goes back
    with astray(4), killed, pytest.raises(Stopped):
        tuned("sft", base, tmp_path / "out", **settings)
    made = tuned("sft", base, tmp_path / "out", **settings)
    assert_same(made, whole)
    assert made.rewinds == whole.rewinds


def test_it_gives_up(base: Path, tmp_path: Path) -> None:
    with astray(3, times=9), pytest.raises(SluiceError, match="the loss is nan at step 3, after 2 rewinds") as err:
        tuned("sft", base, tmp_path / "out")
    assert err.value.hint == f"lower learning_rate, now {RATE / 4:g}"
    with astray(3), pytest.raises(SluiceError, match=r"the loss is nan at step 3\n"):
        tuned("sft", base, tmp_path / "other", guard={"rewinds": 0})


def test_a_leap_is_gone_back_from(base: Path, tmp_path: Path) -> None:
    guard = {"spike": 10.0, "window": 2, "lower": 0.1}
    with astray(4, factor=100.0):
        (rewound,) = tuned("sft", base, tmp_path, guard=guard).rewinds
    assert rewound["why"].endswith("times the median of 2 steps,")
    assert rewound["loss"] > 100
    assert rewound["rate"] == pytest.approx(RATE / 10)


def test_what_was_told_of_the_lost_steps_is_taken_back(base: Path, tmp_path: Path) -> None:
    with astray(4):
        tuned("sft", base, tmp_path, Watch(tmp_path), log={"track": [], "every": 1})
    lines = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5]


def test_the_rate_is_lowered_each_time(base: Path, tmp_path: Path) -> None:
    with astray(3, times=2):
        made = tuned("sft", base, tmp_path, checkpoints={"every": 0})
    assert [one["rate"] for one in made.rewinds] == [RATE / 2, RATE / 4]
