"""What reading and learning cost: the tokens that went through a model, and the seconds that it took.

A token read forward counts 1. One that is read backward too counts 1 more, and for the share of the weights that learn
1 more again: 3 where all of them do, little over 2 beside an adapter. Padding counts like any token.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from sluicegate.models.load import Loaded

SECONDS = "working_seconds"
"""The one number of an artifact that is another whenever it is made."""


@dataclass(frozen=True)
class Spent:
    """A cost."""

    forward_tokens: float = 0.0
    """The tokens that would have gone forward for the same work."""
    working_seconds: float = 0.0
    """Without those that models took to load."""

    def __add__(self, other: Spent) -> Spent:
        tokens, seconds = self.forward_tokens + other.forward_tokens, self.working_seconds + other.working_seconds
        return Spent(tokens, seconds)

    def told(self) -> dict[str, float]:
        """As an artifact's numbers tell it."""
        return {"forward_tokens": round(self.forward_tokens), SECONDS: round(self.working_seconds, 3)}


class Meter:
    """Counts the tokens of the models it watches, and the seconds while it is `running`."""

    def __init__(self) -> None:
        self._tokens = self._seconds = 0.0

    def watch(self, model: PreTrainedModel) -> None:
        """From now on count what the model reads, also within an adapter that is put on it."""
        known = weakref.ref(model)  # a hook that held its model would keep it in memory beside the next

        def count(embeddings: object, args: object, out: Tensor) -> None:
            self._tokens += out.shape[:-1].numel() * _forwards(known())

        model.get_input_embeddings().register_forward_hook(count)

    def open(self, load: Callable[[], Loaded]) -> Loaded:
        """The model that `load` gives, watched; the clock, which is running, stands still meanwhile."""
        began = time.perf_counter()
        loaded = load()
        self._seconds -= time.perf_counter() - began
        self.watch(loaded.model)
        return loaded

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the seconds meanwhile."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds += time.perf_counter() - began

    def take(self) -> Spent:
        """What was counted since the last time."""
        spent = Spent(self._tokens, self._seconds)
        self._tokens = self._seconds = 0.0
        return spent


def _forwards(model: PreTrainedModel | None) -> float:
    """How many forward passes the pass that has just begun is worth."""
    import torch

    if model is None or not torch.is_grad_enabled():
        return 1.0
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    learning = sum(size for size, learns in sizes if learns)
    return 2.0 + learning / sum(size for size, _ in sizes) if learning else 1.0
