"""What a stage is: a typed config and named input artifacts in, one new artifact out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from sluicegate import config
from sluicegate.artifacts import Artifact
from sluicegate.schema import Kind

Sizes: TypeAlias = Mapping[str, int]
"""`rows`, `tokens` and the like of an artifact, as far as they are known."""


class Stage:
    """Subclass it, fill the class attributes, write `fill`. Nothing else touches the disk.

    An input is one artifact. One that is `grouped`, as the arms of a report, is a mapping of names to lists of steps
    in the recipe, and to lists of artifacts in `fill`.
    """

    name: ClassVar[str]
    makes: ClassVar[Kind]
    takes: ClassVar[dict[str, Kind]] = {}
    """Input name to the kind it must be."""
    may_take: ClassVar[dict[str, Kind]] = {}
    """The same, for inputs that may be left out."""
    grouped: ClassVar[frozenset[str]] = frozenset()
    """Which of them are mappings of lists."""
    joins: ClassVar[frozenset[str]] = frozenset()
    """Inputs for which a list of files on the command line means all their rows together, not a step for each."""
    version: ClassVar[int] = 1
    """Raise it when the same config would now give another result."""
    resumes: ClassVar[bool] = False
    """Whether `fill` continues from what a killed attempt left in its folder."""
    collective: ClassVar[bool] = False
    """Whether the processes of a launch `fill` one artifact together, each calling it in the same folder. The first
    alone writes there, unless they agree on names; what it returns counts. Other stages are made by it alone."""
    timed: ClassVar[frozenset[str]] = frozenset()
    """Files and folders of the artifact that tell of time, and so are others whenever the same is made."""
    divisible: ClassVar[bool] = False
    """Whether several processes can `share` the work; such a stage `resumes` too."""

    class Config(config.Config):
        """What it can be told; subclasses inherit from this one."""

    def made(self, config: Any) -> Kind:
        """The kind of the artifact it makes with this config, where that is for the config to say."""
        return self.makes

    def pins(self, config: Any) -> dict[str, str]:
        """Identity of everything read that is not an artifact: a raw file's hash, a hub revision."""
        return {}

    def check(self, config: Any, wires: Collection[str]) -> None:
        """Raise `ConfigError` where config and the names of the inputs that are given do not fit; reads nothing."""

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows, tokens and steps a dry run can tell without doing the work, from what it can tell of the inputs."""
        return {}

    def part(self, config: Any) -> tuple[int, int] | None:
        """(i, N) where the user asked for the i-th of N parts of the work only, counted from 0."""
        return None

    def processes(self, config: Any) -> int:
        """How many are to `fill` it together; a run that is one process starts that many for it."""
        return 1

    def share(self, out: Path, config: Any, inputs: dict[str, Any], part: int, parts: int) -> dict[str, Any]:
        """Do one part of the work in a folder that others work in too; return the numbers worth a line.

        `fill` then finds what stands, does what is missing, and puts it together.
        """
        raise NotImplementedError

    def fill(self, out: Path, config: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Write the artifact's files into `out`; return the numbers worth a line."""
        raise NotImplementedError

    def show(self, artifact: Artifact) -> None:
        """What a user should see when the run ends with this artifact, made now or before."""
