"""A tuning that is stopped anywhere, and goes on, ends as one that was not: every bit of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluicegate.testing import tiny_model
from sluicegate.training.saving.checkpoints import FOLDER
from sluicegate.training.saving.resumable import WEIGHTS
from tunings import STEPS, Stopped, assert_same, stopped_after, tuned

SAMPLED: dict[str, Any] = {"sampler": {"share": {"zh": 0.7}}}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize(
    ("kind", "method", "more"),
    [
        ("sft", "lora", SAMPLED),
        pytest.param("sft", "full", {}, marks=pytest.mark.slow),
        pytest.param("dpo", "lora", {}, marks=pytest.mark.slow),
        pytest.param("dpo", "full", {}, marks=pytest.mark.slow),
        pytest.param("orpo", "lora", {}, marks=pytest.mark.slow),
    ],
)
def test_it_may_be_stopped_after_every_step(kind: str, method: str, more: Any, base: Path, tmp_path: Path) -> None:
    whole = tuned(kind, base, tmp_path / "whole" / "out", method=method, checkpoints={"every": 0}, **more)
    out = tmp_path / "out"
    for step in range(STEPS):
        with stopped_after(step), pytest.raises(Stopped):
            tuned(kind, base, out, method=method, **more)
        assert (out / FOLDER / f"step-{step:06d}").is_dir() == bool(step)
    assert_same(tuned(kind, base, out, method=method, **more), whole)


def test_one_that_was_done_but_for_its_model_is_done(base: Path, tmp_path: Path) -> None:
    whole = tuned("sft", base, tmp_path)
    with stopped_after(0):  # not a step of it is done again
        assert_same(tuned("sft", base, tmp_path), whole)


def test_a_changed_checkpoint_is_told_about_and_passed_over(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"every": 1, "keep": 3}
    whole = tuned("sft", base, tmp_path / "whole", checkpoints=kept)
    with stopped_after(4), pytest.raises(Stopped):
        tuned("sft", base, tmp_path / "out", checkpoints=kept)
    weights = tmp_path / "out" / FOLDER / "step-000004" / WEIGHTS
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (tmp_path / "out" / FOLDER / "step-000002" / "manifest.json").write_text("torn", encoding="utf-8")
    capsys.readouterr()
    assert_same(tuned("sft", base, tmp_path / "out", checkpoints=kept), whole)
    said = capsys.readouterr().err
    assert f"passing over a checkpoint: step-000004/{WEIGHTS} was changed after it was made" in said
    assert "step-000002/manifest.json is not a manifest" in said
    assert "goes on from the checkpoint of step 3" in said


def test_passes_of_another_size_go_on_where_others_left_off(base: Path, tmp_path: Path) -> None:
    seen = []
    with stopped_after(3), pytest.raises(Stopped):
        tuned("sft", base, tmp_path / "out")
    for out, rows in (("out", 4), ("whole", 2)):
        seen.append(tuned("sft", base, tmp_path / out, device_batch_size=rows).loss)
    assert seen[0] == pytest.approx(seen[1], rel=1e-4)


def test_a_short_one_is_not_saved(base: Path, tmp_path: Path) -> None:
    tuned("sft", base, tmp_path, checkpoints={})
    assert list(tmp_path.iterdir()) == []
