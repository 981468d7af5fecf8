"""A tuning that is stopped anywhere, and goes on, ends as one that was not: every bit of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluicegate.testing import tiny_model
from sluicegate.training.checkpoints import FOLDER
from tunings import STEPS, Stopped, assert_same, stopped_after, tuned

SAMPLED: dict[str, Any] = {"sampler": {"share": {"zh": 0.7}}}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize(
    ("kind", "method", "more"),
    [("sft", "full", {}), ("sft", "lora", SAMPLED), ("dpo", "lora", {}), ("dpo", "full", {}), ("orpo", "lora", {})],
)
def test_it_may_be_stopped_after_any_step(kind: str, method: str, more: Any, base: Path, tmp_path: Path) -> None:
    whole = tuned(kind, base, tmp_path / "whole" / "out", method=method, checkpoints={"every": 0}, **more)
    for step in range(STEPS):
        out = tmp_path / str(step) / "out"
        with stopped_after(step), pytest.raises(Stopped):
            tuned(kind, base, out, method=method, **more)
        assert (out / FOLDER / f"step-{step:06d}").is_dir() == bool(step)
        assert_same(tuned(kind, base, out, method=method, **more), whole)


def test_it_may_be_stopped_again_and_again(base: Path, tmp_path: Path) -> None:
    whole = tuned("sft", base, tmp_path / "whole", method="lora", checkpoints={"every": 2})
    for step in (1, 2, 3, 4):
        with stopped_after(step), pytest.raises(Stopped):
            tuned("sft", base, tmp_path / "out", method="lora", checkpoints={"every": 2})
    assert_same(tuned("sft", base, tmp_path / "out", method="lora", checkpoints={"every": 2}), whole)
