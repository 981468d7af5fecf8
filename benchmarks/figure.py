"""The line every benchmark ends in."""

from __future__ import annotations

import json
from typing import Any


def figure(name: str, ours: float, peer: float, unit: str, bar: str, holds: bool, **more: Any) -> None:
    """Print one JSON line: both sides in `unit`, their ratio, the bar in words, and whether it holds."""
    line = {"figure": name, "ours": ours, "peer": peer, "unit": unit, "ratio": ours / peer, "bar": bar, "holds": holds}
    print(json.dumps({k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in (line | more).items()}))
