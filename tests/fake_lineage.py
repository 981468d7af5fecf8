"""A base, a model tuned on a choice of rows, and one aligned after it, as their stages would seal them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.schema import Decision, Record
from sluicegate.testing import sealed, tiny_pool

SOURCES = [
    {"name": "tiny/0", "path": "/home/me/zero.jsonl", "licence": "mit", "warning": "", "hub": None, "preset": None},
    {"name": "", "path": "/home/me/one.jsonl", "licence": "", "hub": None, "preset": None},
    {"name": "", "path": None, "hub": "openai/gsm8k", "preset": "gsm8k"},
    {"name": "", "path": None, "hub": "a/b", "preset": None},
    {"name": "", "path": None, "hub": None, "preset": None, "world": {}},
]


class FakeLineage:
    """Half a dozen artifacts below a folder that has a folder `base`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = external(root / "base", "model-external-1")
        self.pool = self.messages(0, 24, SOURCES)
        self.trusted = self.messages(24, 27)
        self.scores = self.make("scores", "score", lambda out: {}, data=self.pool)
        choice = {"rule": "clusters", "by": "gate", "options": {"fraction": 0.25, "rows": None}}
        self.selection = self.make("selection", "select", self.decide, choice, scores=self.scores)
        inputs = {"model": self.base, "data": self.pool, "selection": self.selection, "trusted": self.trusted}
        config = {"method": "lora", "lora": {"rank": 4, "rank_pattern": {}}, "max_steps": None, "name": ""}
        self.sft = self.make("model", "sft", lambda out: {"rows": 9, "loss": 1.5}, config, **inputs)
        self.dpo = self.make("model", "dpo", lambda out: {}, {"beta": 0.1}, model=self.sft, data=self.pool)

    def make(self, kind: Any, stage: str, fill: Any, config: Any = None, **inputs: Artifact) -> Artifact:
        return sealed(self.root / "store", kind, fill, inputs, {"stage": stage, "config": config or {}})

    def messages(self, first: int, last: int, sources: Any = ()) -> Artifact:
        rows = tiny_pool(last)[first:]
        write = lambda out: {"rows": write_table(out / "messages.parquet", rows, Record)}  # noqa: E731
        return self.make("messages", "prepare", write, {"sources": [*sources], "first": first})

    def decide(self, out: Path) -> dict[str, Any]:
        ids = [row["id"] for row in self.pool.rows("messages")]
        rows = [{"id": i, "kept": n < 6, "rank": n, "reason": ""} for n, i in enumerate(ids)]
        return {"rows": len(rows), "kept": 6, "n": write_table(out / "selection.parquet", rows, Decision)}
