"""What a signal has found of single rows at a price, kept on disk so that a kill does not cost it twice."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path


class Notes:
    """Numbers by name, each in the file as soon as it is taken down.

    Args:
        path: see `Shard.notes`; with None nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.known: dict[str, float] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path and path.exists() else []:
            with suppress(ValueError):  # the line that a kill cut off
                name, value = json.loads(line)
                self.known[name] = value

    def take_down(self, name: str, value: float) -> None:
        """Add a number; it begins a line of its own, whatever the line before it ends in."""
        self.known[name] = value
        if self.path:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"\n{json.dumps([name, value])}")
