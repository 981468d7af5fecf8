"""Samples to draw, made without a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from sluicegate.reporting.sample import Piece, Sample, Standing


def make_sample(texts: list[tuple[str, int]], n_layers: int = 3, **changes: Any) -> Sample:
    """One turn of (text, tokens) pieces; numbers are drawn, deeper layers are surer, `changes` replace fields."""
    rng = np.random.default_rng(0)
    ends = np.cumsum([size for _, size in texts]).tolist()
    n_tokens = ends[-1] if ends else 0
    mood = rng.normal(size=n_tokens) * 2 + 0.5
    depth = np.linspace(0.3, 1.5, n_layers)[:, None]
    fields: dict[str, Any] = {
        "id": "0123456789abcdef",
        "source": "test",
        "lang": "en",
        "prompt": "How many?",
        "truncated": 0,
        "standings": [Standing("gate", -1.25, "", 8, 1, 10), Standing("ifd", None, "no prompt", 0, 0, 9)],
        "turns": [[Piece(text, end - size, end) for (text, size), end in zip(texts, ends, strict=True)]],
        "nll": np.abs(rng.normal(size=n_tokens, scale=2)).astype(np.float32),
        "gates": (depth * mood + rng.normal(size=(n_layers, n_tokens)) / 2).astype(np.float32),
        "layers": list(range(0, 2 * n_layers, 2)),
    }
    return Sample(**fields | changes)
