"""Nothing that scores or selects looks at a known fault: with the labels scrambled, the very same bytes come out."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.config import build
from sluicegate.data.world import World
from sluicegate.registry import RULES, SIGNALS
from sluicegate.schema import Kind, Record, content_id, record_id
from sluicegate.stages.base import Stage
from sluicegate.stages.prepare import Prepare
from sluicegate.stages.score import Score
from sluicegate.stages.select import Select
from sluicegate.stages.warmup import Warmup
from sluicegate.testing import sealed, tiny_model
from stub_endpoint import digit_of, stub_endpoint

COPY = {"method": "full", "steps": 10, "batch_size": 4, "learning_rate": 3e-2}
WARMUP = {"epochs": 1, "copies": 1, "reference": COPY}


@dataclass(frozen=True)
class Chain:
    """Data with its labels as they are or scrambled, and what was made of it."""

    data: Artifact
    gate: Artifact
    scores: Artifact


def scrambled(records: list[Record]) -> list[Record]:
    """The same rows with each other's `meta`."""
    metas = [record["meta"] for record in records]
    random.Random(0).shuffle(metas)
    return [{**record, "meta": meta} for record, meta in zip(records, metas, strict=True)]


def made(root: Path, stage: Stage, options: dict[str, Any], inputs: dict[str, Artifact]) -> Artifact:
    config = build(stage.Config, options)
    head = {"stage": stage.name, "config": options}
    return sealed(root, stage.makes, lambda out: stage.fill(out, config, inputs), inputs, head)


def chain(root: Path, pool: list[Record], trusted: list[Record], model: Artifact, rater: str) -> Chain:
    """What is made of a pool, the endpoint at `rater` among those who are asked."""
    kind: Kind = "messages"
    data, good = (
        sealed(root / name, kind, lambda out, rows=rows: {"rows": write_table(out / "messages.parquet", rows, Record)})
        for name, rows in {"pool": pool, "trusted": trusted}.items()
    )
    gate = made(root, Warmup(), WARMUP, {"model": model, "trusted": good})
    options = {"deita": {"base_url": rater, "model": "rater"}, "rds": {"targets": "row"}}
    asked = {"signals": SIGNALS.names(), "options": options}
    scores = made(root, Score(), asked, {"data": data, "gate": gate, "trusted": good})
    return Chain(data, gate, scores)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """A polluted pool of the world, its duplicates kept, as `prepare` makes it."""
    sources = [{"world": {"make": "pool", "rows": 50, "draw": 1}}]
    root = tmp_path_factory.mktemp("prepared")
    rows: Any = made(root, Prepare(), {"sources": sources, "dedup": "none"}, {}).rows("messages")
    return list(rows)


@pytest.fixture(scope="module")
def chains(pool: list[Record], tmp_path_factory: pytest.TempPathFactory) -> tuple[Chain, Chain]:
    root = tmp_path_factory.mktemp("chains")
    model = external(tiny_model(root / "base"), "model-external-base")
    # Trusted rows know their family as well; faults among them would be read if anything were.
    trusted = World(World.Config()).clean(20, seed=2)
    trusted = [{**r, "meta": json.dumps({"fault": ("clean", "dup")[n % 2]})} for n, r in enumerate(trusted)]
    with stub_endpoint(digit_of) as rater:
        one = chain(root / "as-is", pool, trusted, model, rater.url)
        return one, chain(root / "scrambled", scrambled(pool), scrambled(trusted), model, rater.url)


def same(one: Artifact, two: Artifact, *names: str) -> bool:
    return all((one.path / name).read_bytes() == (two.path / name).read_bytes() for name in names)


def test_ids_are_hashes_of_the_messages_alone(pool: list[Record]) -> None:
    assert all(content_id(record["id"]) == record_id(record["messages"]) for record in pool)
    assert len({record["id"] for record in pool}) == len(pool)


def test_the_scramble_is_one(chains: tuple[Chain, Chain]) -> None:
    one, two = ([row["meta"] for row in c.data.rows("messages")] for c in chains)
    assert sum(a != b for a, b in zip(one, two, strict=True)) > len(one) / 2
    assert len({json.loads(meta)["fault"] for meta in one}) == 11
    assert not same(chains[0].data, chains[1].data, "messages.parquet")


def test_every_signal_is_blind(chains: tuple[Chain, Chain]) -> None:
    one, two = (c.scores for c in chains)
    assert set(SIGNALS.names()) <= set(one.columns("scores"))
    assert same(chains[0].gate, chains[1].gate, "gate.safetensors", "gate.json", "reference/model.safetensors")
    assert same(one, two, "scores.parquet", "scores.head.jsonl")


@pytest.mark.parametrize("rule", RULES.names())
def test_every_rule_is_blind(rule: str, chains: tuple[Chain, Chain], tmp_path: Path) -> None:
    by = "rds" if rule == "targets" else "gate"  # the only rule that wants a score for every target
    options = {"rule": rule, "by": by, "options": {"fraction": 0.3}}
    inputs = [{"scores": c.scores, "data": c.data} for c in chains]
    one, two = (made(tmp_path / str(n), Select(), options, wired) for n, wired in enumerate(inputs))
    assert 0 < one.stats["kept"] < one.stats["rows"]
    assert same(one, two, "selection.parquet", "selected.jsonl")
