"""messages + model → messages: those that say the same in other words are left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from sluicegate.artifacts import Artifact, write_table
from sluicegate.config import runtime
from sluicegate.data.readers import HEAD_CHARS
from sluicegate.data.semantic import semantic_copies
from sluicegate.schema import Dropped, Kind, Record
from sluicegate.stages.base import Stage


class Dedup(Stage):
    """Leaves out conversations that mean what an earlier one means, as a model's states of them tell.

    `prepare` finds copies by their words and needs no model; this stage comes behind it. Every row is compared with
    every other, and its vector is in memory: a hundred thousand rows and a model of width 1,024 take 0.4 GB.
    """

    name = "dedup"
    makes: ClassVar[Kind] = "messages"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages", "model": "model"}

    class Config(Stage.Config):
        threshold: float = Field(0.95, gt=0, le=1)
        """Cosine of two rows' vectors, the mean of all taken out, from which on the later row is a copy."""
        max_length: int = Field(512, gt=0)
        """Tokens of a row that are read."""
        batch_tokens: int = runtime(8192, gt=0)
        """Padded tokens of a batch."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        """Write the rows that stay, and those that do not with the row they are a copy of."""
        from sluicegate.models.embed import embed
        from sluicegate.models.load import load_plain

        rows: list[Record] = list(inputs["data"].rows("messages"))  # type: ignore[arg-type]
        loaded = load_plain(inputs["model"].path, inputs["model"].id)
        copies = semantic_copies(embed(loaded, rows, config.max_length, config.batch_tokens), config.threshold)
        kept = [row for at, row in enumerate(rows) if at not in copies]
        write_table(out / "messages.parquet", kept, Record)
        write_table(out / "dropped.parquet", (_dropped(rows, at, *copy) for at, copy in copies.items()), Dropped)
        by_source = dict(sorted(Counter(row["source"] for row in kept).items()))
        return {"rows": len(kept), "read": len(rows), "dropped": len(copies), "by_source": by_source}


def _dropped(rows: list[Record], at: int, original: int, alike: float) -> Dropped:
    """Its line is the number of the row in the table that was read."""
    reason = f"same meaning: {alike:.2f} alike, of {rows[original]['id']}"
    text = rows[at]["messages"][-1]["content"][:HEAD_CHARS]
    return {"source": rows[at]["source"], "line": at + 1, "reason": reason, "text": text}
