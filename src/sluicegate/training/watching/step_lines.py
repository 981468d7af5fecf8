"""A file of one JSON object a line, each with the step it is of, that a training which goes on goes on with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any


class StepLines:
    """Lines by step.

    Args:
        path: of the file, made with its first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line, which has a `step`."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def keep(self, wanted: Callable[[Mapping[str, Any]], bool]) -> None:
        """Take back all other lines: what is done again is told again."""
        if not self.path.is_file():
            return
        kept = [json.dumps(line, ensure_ascii=False) + "\n" for line in self.whole() if wanted(line)]
        draft = self.path.with_name(f".{self.path.name}.draft")
        draft.write_text("".join(kept), encoding="utf-8")
        os.replace(draft, self.path)

    def whole(self) -> Iterator[dict[str, Any]]:
        """The lines; one that a kill has cut is none."""
        for text in self.path.read_text(encoding="utf-8").splitlines(keepends=True):
            if text.endswith("\n"):
                yield json.loads(text)
