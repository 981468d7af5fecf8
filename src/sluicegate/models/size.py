"""How big a saved model is, read off the headers of its weight files."""

from __future__ import annotations

import math
from pathlib import Path


def count_parameters(folder: Path) -> int:
    """Parameters in the safetensors files of a model folder; tied ones are saved, and counted, once."""
    from safetensors import safe_open

    total = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            total += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    return total
