"""Stages of a few lines, for tests of the pipeline: in this process, or as `python -m tiny_stages VERB ...`."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

from sluicegate import registry
from sluicegate.artifacts import Artifact, file_hash
from sluicegate.config import runtime
from sluicegate.errors import CheckFailed
from sluicegate.registry import STAGES, Registry
from sluicegate.runtime import rank, world_size
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage


class Write(Stage):
    """Writes a text, and the text of its input and of a raw file."""

    name = "write"
    makes: ClassVar[Kind] = "messages"
    may_take: ClassVar[dict[str, Kind]] = {"after": "messages", "trusted": "messages"}

    class Config(Stage.Config):
        text: str = ""
        """What to write."""
        file: Path | None = None
        """A raw file."""
        threads: int = runtime(1)
        """Speed only."""

    def pins(self, config: Any) -> dict[str, str]:
        return {str(config.file): file_hash(config.file)} if config.file else {}

    def estimate(self, config: Any, inputs: Any) -> dict[str, int]:
        return {"rows": 1, "tokens": 1000 * len(config.text)}

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        before = (inputs["after"].path / "text").read_text(encoding="utf-8") if "after" in inputs else ""
        (out / "text").write_text(before + config.text, encoding="utf-8")
        return {"rows": 1, "letters": len(before + config.text), "share": 0.123456, "by": {"a": 1}}


class Count(Stage):
    """Counts the letters of its input, in four parts; hangs in the middle where it is told to."""

    name = "count"
    makes: ClassVar[Kind] = "scores"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}
    may_take: ClassVar[dict[str, Kind]] = {"model": "model"}

    class Config(Stage.Config):
        times: int = 1
        """A factor."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        letters = (inputs["data"].path / "text").read_text(encoding="utf-8")
        for n in range(4):
            part = out / f"part-{n}"
            if not part.exists():
                part.write_text(str(config.times * letters.count("abcd"[n])), encoding="utf-8")
            if n == 1 and os.environ.get("HANG"):
                print("hanging", flush=True)
                time.sleep(60)
        return {"rows": 4}


class CountOn(Count):
    """The same, from where it was."""

    name = "count_on"
    resumes = True


class CountTogether(CountOn):
    """The same, by several processes; `of` asks for one part of the four only."""

    name = "count_together"
    divisible = True

    class Config(CountOn.Config):
        of: list[int] = runtime([])
        """Part and parts."""

    def part(self, config: Any) -> tuple[int, int] | None:
        return (config.of[0], config.of[1]) if config.of else None

    def share(self, out: Path, config: Any, inputs: dict[str, Artifact], part: int, parts: int) -> dict[str, Any]:
        letters = (inputs["data"].path / "text").read_text(encoding="utf-8")
        mine = range(part, 4, parts)
        for n in mine:
            (out / f"part-{n}").write_text(str(config.times * letters.count("abcd"[n])), encoding="utf-8")
        return {"counted": len(mine)}


class Meet(Write):
    """Every process of a launch writes its own file, and waits for all files; one may fail instead."""

    name = "meet"
    collective = True

    class Config(Write.Config):
        fails: list[int] = []
        """Processes that have a bug."""
        dies: int | None = None
        """A process that is shot."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        if rank() in config.fails:
            raise CheckFailed(f"process {rank()} finds the text wanting")
        if rank() == config.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        (out / str(rank())).touch()
        while len(list(out.iterdir())) < world_size():
            time.sleep(0.05)
        time.sleep(0.5 * rank())  # the first is long done
        return {"rows": world_size()}


class Refuse(Write):
    """Finds its text wanting."""

    name = "refuse"

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        if config.text == "good":
            return super().fill(out, config, inputs)
        raise CheckFailed("the text is not good", "write another", report=f"# Why\n\n{config.text} is not good.\n")


class Contrast(Stage):
    """Takes named lists."""

    name = "contrast"
    makes: ClassVar[Kind] = "report"
    takes: ClassVar[dict[str, Kind]] = {"arms": "scores"}
    grouped = frozenset({"arms"})

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"arms": {name: [a.id for a in arm] for name, arm in inputs["arms"].items()}}


class Break(Write):
    """Has a bug."""

    name = "break"

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        (out / "half").touch()
        return {"share": 1 / len(config.text)}


class Tiny(Registry):
    """The stages above beside the built-in ones."""

    ours = {stage.name: stage for stage in (Write, Count, CountOn, CountTogether, Meet, Refuse, Contrast, Break)}

    def names(self) -> list[str]:
        return sorted([*STAGES.names(), *self.ours])

    def get(self, name: str) -> Any:
        return self.ours.get(name) or STAGES.get(name)


if __name__ == "__main__":
    registry.STAGES = Tiny("stage")
    from sluicegate.cli import main

    raise SystemExit(main())
