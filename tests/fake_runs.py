"""A whole comparison on disk without a model: messages, scores, selections, models, evaluations, in a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sluicegate.artifacts import MANIFEST, Artifact, Store, external, seal, write_arrow, write_json, write_table
from sluicegate.schema import Decision, Dropped, Record, make_record

FAULTS = ("clean", "clean", "clean", "wrong_final", "gibberish", "dup")
QUESTIONS, TRUSTED, DROPPED, TOKENS = 80, 20, 7, 37  # TOKENS: label tokens of every row
HOSTILE = "<script>alert(1)</script> `</pre>` | **重要** 一共有多少个苹果？"
PREDICTIONS = pa.schema(
    [("id", pa.string()), ("correct", pa.bool_()), ("loss", pa.float32()), ("n_label_tokens", pa.int64())]
)

Fill = Callable[[Path], dict[str, Any]]


class FakeRuns:
    """Makes artifacts with the files and the lineage the stages give them; a selection keeps a fifth of the pool."""

    def __init__(
        self, root: Path, rows: int = 300, faults: bool = True, answers: bool = True, text: str = HOSTILE
    ) -> None:
        self.store, self.rows, self.faults, self.answers, self.text = Store(root), rows, faults, answers, text
        self.rng, self.noise = np.random.default_rng(0), np.random.default_rng(1)
        self.pool = self._seal("messages-pool", self._messages)
        self.trusted = self._seal("messages-trusted", lambda out: self._write(out, "trusted", TRUSTED))
        self.scores = self._seal("scores-one", self._scores, data=self.pool)

    def arms(self) -> dict[str, list[Artifact]]:
        """Gate and random with trusted rows over three seeds; all rows and the trusted rows alone once."""
        by_gate, by_chance = self.selection("gate", by="gate"), [self.selection(f"random{s}") for s in range(3)]
        return {
            "gate": [self.evaluation("gate", s, 0.65, self.pool, by_gate, self.trusted) for s in range(3)],
            "random": [self.evaluation("random", s, 0.45, self.pool, by_chance[s], self.trusted) for s in range(3)],
            "all": [self.evaluation("all", 0, 0.5, self.pool)],
            "trusted": [self.evaluation("trusted", 0, 0.48, self.trusted)],
        }

    def selection(self, name: str, by: str = "") -> Artifact:
        """The best rows of a signal, or any; copies and what the signal could not score are barred."""
        return self._seal(f"selection-{name}", lambda out: self._decide(out, by), {"by": by}, scores=self.scores)

    def evaluation(
        self,
        arm: str,
        seed: int,
        rate: float,
        data: Artifact,
        selection: Artifact | None = None,
        trusted: Artifact | None = None,
        record: dict[str, Any] | None = None,
    ) -> Artifact:
        """An evaluated model that answers `rate` of the questions, with the record of its training."""
        kept, added = (selection or data).stats["kept" if selection else "rows"], TRUSTED * bool(trusted)
        stats = {"rows": kept + added, "trusted_rows": added, "label_tokens": TOKENS * (kept + added)}
        inputs = {"data": data, "selection": selection, "trusted": trusted}
        known = {name: artifact for name, artifact in inputs.items() if artifact}
        told = record or _losses(rate, seed)

        def train(out: Path) -> dict[str, Any]:
            write_json(out / "training.json", told)
            return stats

        model = self._seal(f"model-{arm}{seed}", train, **known)
        return self._seal(f"evaluation-{arm}{seed}", lambda out: self.answer(out, rate), model=model)

    def bought(self, rate: float) -> Artifact:
        """An evaluated model that no stage made."""
        folder = self.store.root.parent / "bought"
        folder.mkdir()
        model = external(folder, "model-external-1")
        return self._seal("evaluation-bought", lambda out: self.answer(out, rate), model=model)

    def took(self, model: Artifact, seconds: float) -> None:
        """Say how long a model's training took."""
        changed = {**model.manifest, "made": {"seconds": seconds}}
        write_json(model.path / MANIFEST, {**changed, "seal": seal(changed)})

    def _seal(self, artifact_id: str, fill: Fill, config: dict[str, Any] | None = None, **inputs: Artifact) -> Artifact:
        head = {"kind": artifact_id.split("-")[0], "stage": "fake", "stage_version": 1, "pins": {}}
        elsewhere = {made.id: str(made.path) for made in inputs.values() if made.path.parent != self.store.root}
        names = {name: made.id for name, made in inputs.items()}
        return self.store.make(
            artifact_id, fill, head | {"config": config or {}, "inputs": names, "external": elsewhere}
        )

    def _messages(self, out: Path) -> dict[str, Any]:
        dropped = [
            {"source": "pool.jsonl", "line": n, "reason": "no assistant turn", "text": "{}"} for n in range(DROPPED)
        ]
        write_table(out / "dropped.parquet", dropped, Dropped)
        return self._write(out, "pool", self.rows)

    def _write(self, out: Path, name: str, rows: int) -> dict[str, Any]:
        return {"rows": write_table(out / "messages.parquet", [self._record(name, n) for n in range(rows)], Record)}

    def _record(self, name: str, n: int) -> Record:
        turns = [("user", f"{name} {n}: {self.text}"), ("assistant", f"{n} {self.text} " + "long " * (n % 200))]
        fault = FAULTS[n % len(FAULTS)] if name == "pool" else "clean"
        meta: dict[str, object] = {"fault": fault} if self.faults else {}
        return make_record([{"role": r, "content": c} for r, c in turns], f"world/{n % 3}", "en", None, meta)

    def _scores(self, out: Path) -> dict[str, Any]:
        ids = [row["id"] for row in self.pool.rows("messages")]
        clean = np.array([FAULTS[n % len(FAULTS)] in ("clean", "dup") for n in range(self.rows)])
        gate = clean * 2.0 + self.rng.normal(size=self.rows)
        gate[:5] = np.nan
        columns = {"gate": gate, "length": self.rng.normal(size=self.rows)}
        types = {"gate": pa.float32(), "gate_why": pa.string(), "length": pa.float32(), "length_why": pa.string()}
        rows = [
            {"id": i, **{s: c[n] for s, c in columns.items()}, **{f"{s}_why": "" for s in columns}}
            for n, i in enumerate(ids)
        ]
        return {"rows": write_arrow(out / "scores.parquet", rows, pa.schema([("id", pa.string()), *types.items()]))}

    def _decide(self, out: Path, by: str) -> dict[str, Any]:
        table, kept = self.scores.table("scores"), self.rows // 5
        ids = table["id"].to_pylist()
        values = table[by].to_numpy() if by else self.rng.random(self.rows)
        copies = {n for n in range(self.rows) if FAULTS[n % len(FAULTS)] == "dup"}
        barred = copies | set(np.flatnonzero(np.isnan(values)).tolist())
        order = [n for n in np.argsort(-np.nan_to_num(values)).tolist() if n not in barred] + sorted(barred)
        why = [f"the best {kept} of {self.rows} by {by}" if by else "drawn at random"] * self.rows
        rows = [
            {"id": ids[n], "kept": rank < kept, "rank": rank, "reason": "copy of another" if n in copies else why[n]}
            for rank, n in enumerate(order)
        ]
        write_table(out / "selection.parquet", rows, Decision)
        return {"rows": self.rows, "kept": kept, "duplicates": len(copies), "unscored": len(barred - copies)}

    def answer(self, out: Path, rate: float, questions: int = QUESTIONS) -> dict[str, Any]:
        """Write what `evaluate` writes of a model that answers `rate` of the questions."""
        right = (self.rng.random(questions) < rate).tolist()
        tokens = 5 + np.arange(questions) % 40
        losses = np.sin(np.arange(questions)) + self.noise.normal(0, 0.05, questions)  # hard for all, or for one model
        losses += 2 - rate - np.average(losses, weights=tokens)
        rows = [
            {"id": f"q{n}", "correct": c if self.answers else None, "loss": losses[n], "n_label_tokens": tokens[n]}
            for n, c in enumerate(right)
        ]
        write_arrow(out / "predictions.parquet", rows, PREDICTIONS)
        accuracy = sum(right) / questions if self.answers else None
        write_json(out / "metrics.json", {"n": questions, "accuracy": accuracy, "loss": 2 - rate, "by_source": {}})
        return {"accuracy": accuracy}


def _losses(rate: float, seed: int) -> dict[str, Any]:
    """What a training tells of its losses; of the best arm it measured held-out rows too."""
    losses = [{"step": step, "loss": 3 - rate + 2 / step + seed / 10} for step in range(2, 42, 2)]
    held_out = [{**point, "loss": point["loss"] + 0.2} for point in losses[4::5]] if rate > 0.6 else []
    return {"curve": losses, "evaluations": held_out}
