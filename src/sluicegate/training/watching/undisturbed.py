"""A look at a model in the middle of its training, of which the training knows nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode and without gradients; after it every module is in the mode that it was in, and
    random numbers go on as if nothing had been."""
    modes = [(module, module.training) for module in model.modules()]
    python, numpy = random.getstate(), np.random.get_state()
    gpus = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=gpus), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
            for module, training in modes:
                module.training = training
