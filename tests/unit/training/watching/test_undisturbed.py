from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

from sluicegate.training.watching.undisturbed import undisturbed


def test_a_model_and_random_numbers_are_as_they_were() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 2))
    model.train()
    model[0].eval()
    torch.manual_seed(1), random.seed(1), np.random.seed(1)
    expected = (torch.rand(3), random.random(), np.random.rand())
    torch.manual_seed(1), random.seed(1), np.random.seed(1)
    with undisturbed(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        torch.rand(7), random.random(), np.random.rand()
    assert [module.training for module in model.modules()] == [True, False, True, True]
    assert torch.is_grad_enabled()
    assert torch.equal(torch.rand(3), expected[0])
    assert (random.random(), np.random.rand()) == expected[1:]


def test_also_where_it_fails() -> None:
    model = nn.Linear(2, 2).train()
    with pytest.raises(KeyError), undisturbed(model):
        raise KeyError
    assert model.training
