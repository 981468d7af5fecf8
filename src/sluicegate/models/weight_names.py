"""What the name of a weight tells: the part of the model it belongs to, and the decoder layer."""

from __future__ import annotations

import re

LAYER = re.compile(r"(?:^|\.)(?:layers|layer|h|blocks)\.(\d+)(?:\.|$)")
GROUPS = {
    "gates": r"quality_gate",
    "routers": r"(mlp|block_sparse_moe|feed_forward)\.(gate|router)(\.|$)",
    "norms": r"norm|\.ln_",
    "attention": r"attn|attention",
    "experts": r"expert",
    "mlp": r"mlp|feed_forward|block_sparse_moe",
    "embeddings": r"embed|\.wte\.|\.wpe\.|lm_head",
    "other": r"",
}
"""Group to what a name of it holds; the first that fits is it."""


def group_of(name: str) -> str:
    """The group a weight belongs to."""
    return next(group for group, holds in GROUPS.items() if re.search(holds, f".{name}"))


def layer_of(name: str) -> int | None:
    """The number of the decoder layer a weight belongs to; None for those of no layer."""
    found = LAYER.search(name)
    return int(found[1]) if found else None
