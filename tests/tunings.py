"""Short tunings of each kind on a tiny model, with dropout, a sampler and accumulated passes: for tests of what may
come between their first step and their last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from sluicegate.config import build
from sluicegate.models.load import load
from sluicegate.testing import tiny_pool
from sluicegate.training.course import Tuned
from sluicegate.training.preference.config import DpoConfig, OrpoConfig
from sluicegate.training.preference.prefer import open_model, prefer
from sluicegate.training.preference.reference import Reference
from sluicegate.training.sft import tune
from sluicegate.training.sft_config import SftConfig
from sluicegate.training.watching.callbacks import ShowProgress
from sluicegate.training.watching.watch import Watch
from tiny_pairs import encoded_pairs, tiny_pairs

STEPS = 5
SHORT: dict[str, Any] = {"max_steps": STEPS, "total_batch": 4, "device_batch_size": 2, "learning_rate": 1e-2}
SHORT |= {"lora": {"dropout": 0.3}, "checkpoints": {"every": 1}}
CONFIGS: dict[str, Any] = {"sft": SftConfig, "dpo": DpoConfig, "orpo": OrpoConfig}


class Stopped(Exception):
    """Nobody expects it."""


def tuned(kind: str, base: Path, out: Path, watch: Watch | None = None, **config: Any) -> Tuned:
    """Train, or train on what an earlier call left in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    built = build(CONFIGS[kind], {"method": "full", **SHORT, **config})
    if kind == "sft":
        pool, loaded = tiny_pool(30), load(base, device="cpu")
        columns = {name: np.array([row[name] for row in pool]) for name in ("lang", "source")}  # type: ignore[literal-required]
        return tune(loaded, loaded.encoder(512).encode_batch(pool), built, out, columns, watch)
    loaded, pairs = open_model(base, built), tiny_pairs(20)
    rows = encoded_pairs(out.parent, loaded, pairs)
    columns = {name: np.array([pair[name] for pair in pairs]) for name in ("lang", "source")}  # type: ignore[literal-required]
    reference = Reference(out.parent / "reference.npy", len(rows)) if kind == "dpo" else None
    return prefer(loaded, rows, columns, built, out, reference, watch)


@contextmanager
def stopped_after(step: int) -> Iterator[None]:
    """Any training in here ends with an exception in the middle of the step behind this one."""
    moves = ShowProgress.on_step_end

    def stops(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step > step:
            raise Stopped
        moves(self, args, state, control, **kwargs)

    with patch.object(ShowProgress, "on_step_end", stops):
        yield


def weights(made: Tuned) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in made.model.named_parameters()}


def assert_same(made: Tuned, other: Tuned) -> None:
    """To the last bit."""
    expected = weights(other)
    assert weights(made).keys() == expected.keys()
    assert [name for name, weight in weights(made).items() if not torch.equal(weight, expected[name])] == []
    assert (made.steps, made.curve, made.evaluations) == (other.steps, other.curve, other.evaluations)
