"""Where every source of random numbers stands, as plain values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Of this process: Python's, NumPy's and torch's, that of its GPU too."""
    numpy: Any = np.random.get_state()
    name, words, *rest = numpy
    state = {"python": random.getstate(), "numpy": [name, words.tolist(), *rest], "torch": _hex(torch.get_rng_state())}
    return {**state, "cuda": _hex(torch.cuda.get_rng_state())} if torch.cuda.is_available() else state


def put_back(state: dict[str, Any]) -> None:
    """Let the next random numbers be those that came after `random_state`, also once it went through JSON."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    name, words, *rest = state["numpy"]
    np.random.set_state((name, np.array(words, np.uint32), *rest))
    torch.set_rng_state(_tensor(state["torch"]))
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(_tensor(state["cuda"]))


def _hex(state: torch.Tensor) -> str:
    return state.numpy().tobytes().hex()


def _tensor(state: str) -> torch.Tensor:
    return torch.frombuffer(bytearray.fromhex(state), dtype=torch.uint8)
