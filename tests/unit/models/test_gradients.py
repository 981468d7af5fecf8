"""Per-row gradients equal those of autograd on each row alone, and Adam's direction what Adam then does."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F

from sluicegate.models import adapters
from sluicegate.models.encode import Encoded
from sluicegate.models.gradients import Moments, adam_direction, features, row_losses, sample_gradients, trainable
from sluicegate.models.projection import Projection
from sluicegate.testing import Family
from tiny_architectures import some_rows, tiny_architecture

SMALL = adapters.LoraSettings(rank=2, alpha=4)
LOUD = 0.2


def adapted(family: Family = "qwen2") -> Any:
    """With an update that does something: a fresh one adds nothing, and half of its gradients are 0."""
    model: Any = adapters.attach(tiny_architecture(family), SMALL).eval()
    torch.manual_seed(3)
    for p in trainable(model).values():
        torch.nn.init.normal_(p, std=LOUD)
    return model


def one_by_one(model: Any, rows: list[Encoded]) -> dict[str, torch.Tensor]:
    """Name to (B, n), by nothing but the model's own logits and `backward`."""
    found: dict[str, list[torch.Tensor]] = {name: [] for name in trainable(model)}
    for row in rows:
        model.zero_grad()
        logits = model(torch.tensor([row.ids])).logits[0].float()
        at = [t for start, end in row.spans for t in range(start, end)]
        F.cross_entropy(logits[[t - 1 for t in at]], torch.tensor([row.ids[t] for t in at])).backward()
        for name, p in trainable(model).items():
            assert p.grad is not None
            found[name].append(p.grad.flatten().clone())
    model.zero_grad()
    return {name: torch.stack(own) for name, own in found.items()}


@pytest.mark.parametrize("family", get_args(Family))
def test_gradients_of_a_batch_are_those_of_its_rows_alone(family: Family) -> None:
    model, rows = adapted(family), some_rows()
    wanted = one_by_one(model, rows)
    found = dict(sample_gradients(model, rows, pad_id=0))
    assert set(found) == set(wanted)
    for name, gradient in found.items():
        scale = float(wanted[name].abs().max())
        torch.testing.assert_close(gradient, wanted[name], atol=1e-4 * scale, rtol=1e-3)
    assert all(p.grad is None for p in model.parameters()), "nothing is left behind"


def test_no_row_has_a_part_in_anothers() -> None:
    model, rows = adapted(), some_rows()
    together, projection = features(model, rows, 0, Projection(64)), Projection(64)
    backwards = features(model, rows[::-1], 0, projection)
    torch.testing.assert_close(backwards.flip(0), together, atol=1e-5, rtol=1e-4)
    alone = torch.cat([features(model, [row], 0, projection) for row in rows])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-4)


def test_features_are_the_projected_directions() -> None:
    model, rows = adapted(), some_rows()
    wanted = one_by_one(model, rows)
    draw = torch.Generator().manual_seed(0)
    mean = {name: torch.randn(p.shape, generator=draw) / 10 for name, p in trainable(model).items()}
    square = {name: torch.rand(p.shape, generator=draw) / 10 for name, p in trainable(model).items()}
    t = 7 + 1
    straight = []
    for name, g in wanted.items():
        m = (0.9 * mean[name].flatten() + 0.1 * g) / (1 - 0.9**t)
        v = (0.999 * square[name].flatten() + 0.001 * g**2) / (1 - 0.999**t)
        straight.append(m / torch.sqrt(v + 1e-8))
    projection = Projection(128, seed=2)
    whole = torch.cat(straight, 1)
    signs = projection.signs(0, whole.shape[1])
    found = features(model, rows, 0, projection, Moments(mean, square, step=7))
    torch.testing.assert_close(found, whole @ signs / 128**0.5, atol=1e-3, rtol=1e-3)
    plain = features(model, rows, 0, projection)
    torch.testing.assert_close(plain, torch.cat(list(wanted.values()), 1) @ signs / 128**0.5, atol=1e-4, rtol=1e-3)


def test_the_row_loss_is_the_mean_over_response_tokens() -> None:
    model, row = adapted(), some_rows()[1]
    with torch.no_grad():
        own = model(torch.tensor([row.ids]), labels=torch.tensor([row.labels])).loss
        torch.testing.assert_close(row_losses(model, some_rows(), 0)[1], own)


# Adam, by hand: one parameter, whose moments are 0.2 and 0.04 after one step, and three gradients.


@pytest.mark.parametrize(
    ("gradient", "m", "v"),
    [
        (1.0, (0.18 + 0.1) / 0.19, (0.03996 + 0.001) / 0.001999),
        (0.0, 0.18 / 0.19, 0.03996 / 0.001999),
        (-2.0, (0.18 - 0.2) / 0.19, (0.03996 + 0.004) / 0.001999),
    ],
)
def test_the_direction_of_one_parameter(gradient: float, m: float, v: float) -> None:
    found = adam_direction(torch.tensor([[gradient]]), torch.tensor([0.2]), torch.tensor([0.04]), step=1)
    assert found.item() == pytest.approx(m / (v + 1e-8) ** 0.5, rel=1e-5)


def test_epsilon_stands_under_the_root() -> None:
    """Without any moments a first gradient of √ε = 1e-4 gives 1 / √2; added to the root it would give 0.9999."""
    found = adam_direction(torch.tensor([[1e-4, 1.0, 0.0]]), torch.zeros(3), torch.zeros(3), step=0)
    assert found[0].tolist() == pytest.approx([0.5**0.5, 1.0, 0.0], rel=1e-4)


def test_the_direction_is_the_step_that_adam_takes() -> None:
    """torch's own optimizer, but for where its epsilon stands, which at these sizes does not show."""
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    optimizer = torch.optim.AdamW([p], lr=0.01, weight_decay=0.0)
    for gradient in ([0.3, -1.0, 2.0], [0.1, 0.4, -0.2]):
        p.grad = torch.tensor(gradient)
        optimizer.step()
    state = optimizer.state[p]
    last = torch.tensor([[-0.7, 0.2, 0.9]])
    found = adam_direction(last, state["exp_avg"], state["exp_avg_sq"], int(state["step"]))
    before = p.detach().clone()
    p.grad = last[0]
    optimizer.step()
    torch.testing.assert_close((before - p.detach()) / 0.01, found[0], atol=1e-4, rtol=1e-4)
