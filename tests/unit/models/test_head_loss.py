"""The loss in chunks, and its gradients, equal those of all logits at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.models import head_loss as module
from sluicegate.models.encode import IGNORED
from sluicegate.models.head_loss import head_loss


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(module, "FEW", 0)


def whole(x: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(F.linear(x, head).float(), targets, ignore_index=IGNORED, reduction="sum")


def slopes(loss: Callable[..., Tensor], x: Tensor, head: Tensor, targets: Tensor) -> list[Tensor]:
    """The loss and both gradients of three times it."""
    x, head = x.clone().requires_grad_(), head.clone().requires_grad_()
    found = loss(x, head, targets)
    (3 * found).backward()
    assert x.grad is not None
    assert head.grad is not None
    return [found.detach(), x.grad, head.grad]


@pytest.fixture(params=[0, 5, 20], ids="{} unlabelled".format)
def world(request: pytest.FixtureRequest) -> tuple[Tensor, Tensor, Tensor]:
    chance = torch.Generator().manual_seed(request.param)
    targets = torch.randint(0, 33, (20,), generator=chance)
    targets[torch.randperm(20, generator=chance)[: request.param]] = IGNORED
    return torch.randn(20, 16, generator=chance), torch.randn(33, 16, generator=chance), targets


def test_loss_and_gradients_are_those_of_all_logits_at_once(world: tuple[Tensor, Tensor, Tensor]) -> None:
    for ours, theirs in zip(slopes(head_loss, *world), slopes(whole, *world), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_few_logits_are_held_at_once(world: tuple[Tensor, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 20 * 33)
    monkeypatch.setattr(module, "HeadLoss", None)
    for ours, theirs in zip(slopes(head_loss, *world), slopes(whole, *world), strict=True):
        assert torch.equal(ours, theirs)


def test_without_gradients_the_loss_is_the_same(world: tuple[Tensor, Tensor, Tensor]) -> None:
    with torch.no_grad():
        torch.testing.assert_close(head_loss(*world), whole(*world))


@pytest.mark.parametrize("grad", [True, False])
def test_autocast_multiplies_in_bfloat16_and_adds_up_in_float32(grad: bool) -> None:
    world = torch.randn(20, 16), torch.randn(33, 16), torch.randint(0, 33, (20,))
    with torch.autocast("cpu", torch.bfloat16), nullcontext() if grad else torch.no_grad():
        if not grad:
            torch.testing.assert_close(head_loss(*world), whole(*world), rtol=1e-2, atol=0)
            return
        ours, theirs = slopes(head_loss, *world), slopes(whole, *world)
    for our, their in zip(ours, theirs, strict=True):
        assert our.dtype is torch.float32
        assert (our - their).norm() <= 0.02 * their.norm()


def test_what_is_in_memory_at_once_does_not_grow_with_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def spied(logits: Tensor, *rest: object, **more: object) -> Tensor:
        seen.append(len(logits))
        return logits.float().log_softmax(-1)

    monkeypatch.setattr(module, "_slope", spied)
    head_loss(torch.randn(200, 16, requires_grad=True), torch.randn(33, 16), torch.randint(0, 33, (200,))).backward()
    assert max(seen) == 7
    assert sum(seen) == 200
