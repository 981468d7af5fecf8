"""messages → messages with known faults, to see what finds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field, field_validator

from sluicegate.artifacts import Artifact, write_table
from sluicegate.data.corrupt import UNSEEN
from sluicegate.data.plant import plant
from sluicegate.data.world.faults import CLEAN
from sluicegate.registry import CORRUPTIONS
from sluicegate.reporting.pool import fault_of
from sluicegate.schema import Kind, Record
from sluicegate.stages.base import Sizes, Stage


class Plant(Stage):
    """Damages some rows and remembers in their `meta` how, which no signal reads.

    The others are taken to be clean: what was wrong with them before is not known.
    """

    name = "plant"
    makes: ClassVar[Kind] = "messages"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}

    class Config(Stage.Config):
        faults: list[str] = Field(["mismatch", "number", "truncate", *UNSEEN], min_length=1)
        """Kinds of damage (sluice ls corruptions), in equal parts where they apply. A warm-up teaches some of them."""
        share: float = Field(0.4, gt=0, lt=1)
        """About how much of the rows is damaged."""
        seed: int = 0
        """Decides which rows, and how."""

        @field_validator("faults")
        @classmethod
        def _are_known(cls, faults: list[str]) -> list[str]:
            for fault in faults:
                CORRUPTIONS.get(fault)
            return faults

    def estimate(self, config: Any, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """As many rows and about as many tokens as before."""
        return dict(inputs["data"])

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write `messages.parquet`."""
        records = cast(list[Record], list(inputs["data"].rows("messages")))
        rows = list(plant(records, config.faults, config.share, config.seed))
        write_table(out / "messages.parquet", rows, Record)
        counts = Counter(fault_of(row) for row in rows)
        return {"rows": len(rows), "damaged": len(rows) - counts[CLEAN], "faults": dict(counts)}
