"""The warm-up of LESS: a checkpoint per epoch, from which training would go on as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.config import build
from sluicegate.models import adapters
from sluicegate.models.gradients import trainable
from sluicegate.training.less_config import LessWarmupConfig
from sluicegate.training.less_warmup import Checkpoint, draw_rows, load, save, warm_up
from tiny_architectures import some_rows, tiny_architecture

PLAIN = {"epochs": 3, "batch_size": 3, "learning_rate": 0.01, "lora": {"rank": 2, "alpha": 4}}


def adapted(config: LessWarmupConfig) -> Any:
    model = tiny_architecture("qwen2")
    torch.manual_seed(config.seed)
    return adapters.attach(model, config.lora)


def checkpoints(**changes: Any) -> list[Checkpoint]:
    config = build(LessWarmupConfig, PLAIN | changes)
    return list(warm_up(adapted(config), some_rows(), config, 0, 10**6))


def test_a_checkpoint_per_epoch_with_its_mean_learning_rate() -> None:
    """Four rows in batches of three are two steps an epoch: rates 1, 5/6, 4/6, ... of the first."""
    made = checkpoints()
    assert [c.moments.step for c in made] == [2, 4, 6]
    assert [c.learning_rate for c in made] == pytest.approx([0.055 / 6, 0.035 / 6, 0.015 / 6])


def test_a_checkpoint_holds_what_the_next_step_starts_from() -> None:
    """One step per epoch: the second checkpoint is the first one's step on the batch's gradient."""
    first, second = checkpoints(epochs=2, batch_size=4)
    for name, weight in first.weights.items():
        m, v = first.moments.mean[name], first.moments.square[name]
        gradient = (second.moments.mean[name] - 0.9 * m) / 0.1
        m, v = (0.9 * m + 0.1 * gradient) / (1 - 0.9**2), (0.999 * v + 0.001 * gradient**2) / (1 - 0.999**2)
        torch.testing.assert_close(second.moments.square[name] / (1 - 0.999**2), v, atol=1e-9, rtol=1e-2)
        torch.testing.assert_close(weight - 0.005 * m / (v.sqrt() + 1e-8), second.weights[name], atol=1e-5, rtol=1e-4)


def test_the_seed_alone_decides() -> None:
    one, same, other = checkpoints()[-1], checkpoints()[-1], checkpoints(seed=1)[-1]
    for name, weight in one.weights.items():
        assert torch.equal(weight, same.weights[name])
        assert torch.equal(one.moments.square[name], same.moments.square[name])
    assert any(not torch.equal(weight, other.weights[name]) for name, weight in one.weights.items())


def test_a_saved_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    made = checkpoints(epochs=1)[0]
    save(made, tmp_path / "one.safetensors")
    found = load(tmp_path / "one.safetensors")
    assert (found.learning_rate, found.moments.step) == (made.learning_rate, made.moments.step)
    for one, other in ((made.weights, found.weights), (made.moments.mean, found.moments.mean)):
        assert set(one) == set(other) != set()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert all(torch.equal(made.moments.square[n], found.moments.square[n]) for n in made.moments.square)


def test_the_rows_drawn_hang_on_no_order() -> None:
    ids = [f"row {n}" for n in range(1000)]
    config = LessWarmupConfig()
    drawn = draw_rows(ids, config)
    assert drawn == draw_rows(ids[::-1], config)
    assert len(set(drawn)) == 50
    assert set(drawn) != set(draw_rows(ids, config.model_copy(update={"seed": 1})))
    assert abs(sum(int(one.split()[1]) for one in drawn) / 50 - 500) < 4 * 289 / 50**0.5, "from all over the pool"
    assert len(draw_rows(ids[:3], config)) == 1


def test_only_the_adapter_learns() -> None:
    config = build(LessWarmupConfig, PLAIN)
    model = adapted(config)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    made = list(warm_up(model, some_rows(), config, 0, 10**6))
    assert set(made[0].weights) == set(trainable(model))
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed == set(trainable(model))
    assert not model.training
