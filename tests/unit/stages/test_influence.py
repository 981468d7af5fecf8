"""LESS on disk: its column against the formula worked out straight, rows like the trusted ones first, resumption."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F

from fake_gates import model_in
from sluicegate.artifacts import Artifact, read_rows, write_table
from sluicegate.config import build
from sluicegate.errors import ArtifactError, DataError
from sluicegate.models import adapters, gradients
from sluicegate.models.load import load_encoder, load_plain
from sluicegate.models.projection import Projection
from sluicegate.schema import Record, make_record
from sluicegate.stages.influence import Influence
from sluicegate.stages.score import Score
from sluicegate.stages.select import Select
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool
from sluicegate.training import less_warmup

SMALL: dict[str, Any] = {
    "warmup": {"share": 0.5, "epochs": 2, "batch_size": 4, "learning_rate": 0.02, "lora": {"rank": 2, "alpha": 4}},
    "width": 512,
}


def messages(root: Path, records: list[Record]) -> Artifact:
    def write(out: Path) -> dict[str, Any]:
        return {"rows": write_table(out / "messages.parquet", records, Record)}

    return sealed(root, "messages", write, recipe={"config": {"ids": [record["id"] for record in records]}})


def row(question: str, reply: str, source: str = "tiny") -> Record:
    chat: Any = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return make_record(chat, source, "en")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def base(root: Path) -> Artifact:
    return model_in(tiny_model(root.parent / "base"))


@pytest.fixture(scope="module")
def inputs(root: Path, base: Artifact) -> dict[str, Artifact]:
    """Eleven sums, one without room for its reply, and six trusted ones of two sources."""
    full = row("How much? " * 60, "Much.")
    data, trusted = messages(root / "pool", [*tiny_pool(11), full]), messages(root / "trusted", tiny_pool(17)[11:])
    return {"data": data, "model": base, "trusted": trusted}


def influence(out: Path, inputs: dict[str, Artifact], **config: Any) -> dict[str, Any]:
    out.mkdir(exist_ok=True)
    return Influence().fill(out, build(Influence.Config, SMALL | config), inputs)


def column(out: Path) -> dict[str, float]:
    return {row["id"]: row["less"] for row in read_rows(out / "scores.parquet")}


def assert_same(found: dict[str, float], wanted: dict[str, float], off: float = 1e-5) -> None:
    assert found == pytest.approx(wanted, abs=off, rel=off, nan_ok=True)


def test_the_contract(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    made = check_stage(Influence, SMALL | {"max_length": 256, "shard_rows": 5}, inputs, tmp_path)
    names = ["id", "source", "lang", "n_prompt_tokens", "n_label_tokens", "n_truncated_tokens"]
    assert made.columns("scores") == [*names, "less", "less_why", "less_targets"]
    assert sorted(p.name for p in made.path.iterdir()) == [
        "less.json", "manifest.json", "scores.head.jsonl", "scores.parquet",
    ]  # fmt: skip
    assert (made.stats["rows"], made.stats["unscored_less"], made.stats["truncated"]) == (12, 1, 1)
    rows = list(made.rows("scores"))
    assert [r["id"] for r in rows] == [r["id"] for r in inputs["data"].rows("messages")]
    assert [r["less_why"] for r in rows] == [""] * 11 + ["no response token left"]
    assert all(-1 <= r["less"] <= 1 for r in rows[:11])
    assert math.isnan(rows[11]["less"])
    assert len({r["less"] for r in rows[:11]}) == 11
    assert [r["less_targets"] for r in rows[:11]] == [[r["less"]] for r in rows[:11]], "all trusted rows are one task"


def test_the_column_is_the_papers_formula_worked_out_straight(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backward row by row through the model's own logits, and whole vectors; only the checkpoints are its own."""
    kept = []
    save = less_warmup.save
    monkeypatch.setattr(less_warmup, "save", lambda made, path: (kept.append(made), save(made, path)))
    influence(tmp_path, inputs, tasks="source", max_length=256)
    loaded = load_plain(inputs["model"].path)
    encoder = loaded.encoder(256)
    model: Any = adapters.attach(loaded.model, adapters.LoraSettings(rank=2, alpha=4)).eval()
    names = list(gradients.trainable(model))

    def gradient(record: Any) -> torch.Tensor:
        encoded = encoder.encode(record)
        model.zero_grad()
        logits = model(torch.tensor([encoded.ids])).logits[0]
        (start, end), *_ = encoded.spans
        F.cross_entropy(logits[start - 1 : end - 1], torch.tensor(encoded.ids[start:end])).backward()
        return torch.cat([dict(model.named_parameters())[name].grad.flatten() for name in names])

    def flat(held: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([held[name].flatten() for name in names])

    pool, trusted = list(inputs["data"].rows("messages"))[:11], list(inputs["trusted"].rows("messages"))
    signs = Projection(512).signs(0, sum(p.numel() for p in gradients.trainable(model).values()))
    found = torch.zeros(len(pool), 2)
    for checkpoint in kept:
        model.load_state_dict(checkpoint.weights, strict=False)
        t = checkpoint.moments.step + 1
        for task, source in enumerate(("tiny/0", "tiny/1")):
            target = torch.stack([gradient(r) for r in trusted if r["source"] == source]).mean(0) @ signs
            for n, record in enumerate(pool):
                g = gradient(record)
                m = (0.9 * flat(checkpoint.moments.mean) + 0.1 * g) / (1 - 0.9**t)
                v = (0.999 * flat(checkpoint.moments.square) + 0.001 * g * g) / (1 - 0.999**t)
                way = (m / (v + 1e-8).sqrt()) @ signs
                found[n, task] += checkpoint.learning_rate * F.cosine_similarity(way, target, dim=0)
    wanted = (found / sum(c.learning_rate for c in kept)).max(1).values.tolist()
    assert_same(
        {r["id"]: column(tmp_path)[r["id"]] for r in pool},
        dict(zip([r["id"] for r in pool], wanted, strict=True)),
        1e-4,
    )


def test_rows_of_the_trusted_rows_task_stand_above_those_of_another(base: Artifact, tmp_path: Path) -> None:
    """Two tasks with the same questions: to spell a number, and to write it twice. Either can be the trusted one."""
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    spelled = [row(f"Tell me {n}.", f"It is {word}.", "spell") for n, word in enumerate(words, 1)]
    doubled = [row(f"Tell me {n}.", f"{n} {n} and {n}", "double") for n in range(1, 13)]
    pool = messages(tmp_path / "pool", spelled[:8] + doubled[:8])
    for wanted, trusted in (("spell", spelled[8:]), ("double", doubled[8:])):
        given = {"data": pool, "model": base, "trusted": messages(tmp_path / f"trusted-{wanted}", trusted)}
        influence(tmp_path / wanted, given, warmup=SMALL["warmup"] | {"lora": {"rank": 4, "alpha": 8}}, width=4096)
        rows = sorted(read_rows(tmp_path / wanted / "scores.parquet"), key=lambda r: -r["less"])
        assert {r["source"] for r in rows[:8]} == {wanted}


def test_with_a_task_for_each_source_a_row_is_as_good_as_for_its_best(
    inputs: dict[str, Artifact], tmp_path: Path
) -> None:
    trusted = list(inputs["trusted"].rows("messages"))
    alone = []
    for n in range(2):
        of_one = messages(tmp_path / f"trusted-{n}", [r for r in trusted if r["source"] == f"tiny/{n}"])
        influence(tmp_path / f"of-{n}", inputs | {"trusted": of_one}, max_length=256)
        alone.append(column(tmp_path / f"of-{n}"))
    influence(tmp_path / "both", inputs, tasks="source", max_length=256)
    assert_same(column(tmp_path / "both"), {one: max(a[one] for a in alone) for one in alone[0]})
    for row in read_rows(tmp_path / "both" / "scores.parquet"):
        assert row["less_targets"] == pytest.approx([a[row["id"]] for a in alone], abs=1e-5, rel=1e-5, nan_ok=True)
    facts = json.loads((tmp_path / "both" / "less.json").read_text())
    assert facts["tasks"] == {"tiny/0": 3, "tiny/1": 3}


def test_neither_order_nor_shards_nor_batches_matter(root: Path, inputs: dict[str, Artifact], tmp_path: Path) -> None:
    influence(tmp_path / "one", inputs)
    turned = {
        name: messages(root / f"turned-{name}", list(inputs[name].rows("messages"))[::-1])
        for name in ("data", "trusted")
    }
    influence(tmp_path / "turned", inputs | turned)
    influence(tmp_path / "shards", inputs, shard_rows=5, batch_tokens=64)
    for name in ("turned", "shards"):
        assert_same(column(tmp_path / name), column(tmp_path / "one"))


def test_no_known_fault_is_looked_at(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    influence(tmp_path / "one", inputs)
    told: dict[str, Artifact] = {}
    for name in ("data", "trusted"):
        rows: Any = [{**r, "meta": "{}", "answer": None} for r in inputs[name].rows("messages")]
        told[name] = messages(tmp_path / name, rows)
    influence(tmp_path / "other", inputs | told)
    one, other = ((tmp_path / name / "scores.parquet").read_bytes() for name in ("one", "other"))
    assert one == other


def test_another_seed_of_the_projection_changes_little_and_a_narrow_one_more(
    inputs: dict[str, Artifact], tmp_path: Path
) -> None:
    known = {}
    for name, config in {"wide": {"width": 8192}, "other": {"width": 8192, "seed": 1}, "narrow": {"width": 64}}.items():
        influence(tmp_path / name, inputs, max_length=256, **config)
        known[name] = np.array(list(column(tmp_path / name).values()))[:11]
    assert np.abs(known["wide"] - known["other"]).max() < 5 / 8192**0.5
    assert np.abs(known["wide"] - known["other"]).mean() < np.abs(known["wide"] - known["narrow"]).mean()


def test_a_killed_run_goes_on_at_the_shard(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six comparisons (two checkpoints, three shards); the fourth dies."""
    whole = influence(tmp_path / "whole", inputs, shard_rows=4)
    read, calls = gradients.read_features, []

    def dying(model: Any, rows: Any, *args: Any, **more: Any) -> Any:
        calls.append(more.get("moments") is not None)
        if sum(calls) == 4:
            raise KeyboardInterrupt
        return read(model, rows, *args, **more)

    monkeypatch.setattr(gradients, "read_features", dying)
    with pytest.raises(KeyboardInterrupt):
        influence(tmp_path / "killed", inputs, shard_rows=4)
    trained = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "killed" / "checkpoints").iterdir()}
    assert set(trained) == {"000.safetensors", "001.safetensors", "cost.draft"}
    assert not (tmp_path / "killed" / "scores.parquet").exists()
    calls.clear()
    calls.extend([False] * 10)
    monkeypatch.setattr(less_warmup, "warm_up", None)  # it must not be done again
    told = influence(tmp_path / "killed", inputs, shard_rows=4)
    assert sum(calls) == 3, "one shard at the second checkpoint stands, and all at the first"
    assert column(tmp_path / "killed") == pytest.approx(column(tmp_path / "whole"), nan_ok=True)
    assert told["checkpoints"] == 2
    assert told["forward_tokens"] == whole["forward_tokens"]
    assert {p.name for p in (tmp_path / "killed").iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}


def test_an_interrupted_warm_up_is_begun_anew(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = less_warmup.save

    def dying(made: less_warmup.Checkpoint, path: Path) -> None:
        save(made, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(less_warmup, "save", dying)
        with pytest.raises(KeyboardInterrupt):
            influence(tmp_path / "killed", inputs)
    influence(tmp_path / "killed", inputs)
    influence(tmp_path / "whole", inputs)
    assert column(tmp_path / "killed") == pytest.approx(column(tmp_path / "whole"), nan_ok=True)


def test_beside_other_scores_its_column_is_one_more_to_blend(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    def score(out: Path) -> dict[str, Any]:
        given = {"data": inputs["data"], "model": inputs["model"]}
        return Score().fill(out, build(Score.Config, {"signals": ["perplexity"], "max_length": 256}), given)

    known = sealed(tmp_path, "scores", score, {"data": inputs["data"], "model": inputs["model"]})
    given = inputs | {"beside": known}
    both = sealed(tmp_path, "scores", lambda out: influence(out, given, max_length=256), given, {"config": {"both": 1}})
    assert both.columns("scores") == [*known.columns("scores"), "less", "less_why", "less_targets"]
    influence(tmp_path / "alone", inputs, max_length=256)
    assert_same({r["id"]: r["less"] for r in both.rows("scores")}, column(tmp_path / "alone"))
    options = {"signals": {"perplexity": 1.0, "less": 2.0}, "rows": 4}
    config = build(Select.Config, {"rule": "blend", "options": options})
    assert Select().fill(tmp_path / "alone", config, {"scores": both})["kept"] == 4
    config = build(Select.Config, {"rule": "clusters", "by": "less", "options": {"rows": 4}})
    assert Select().fill(tmp_path / "alone", config, {"scores": both})["kept"] == 4


def test_it_tells_what_it_cost(inputs: dict[str, Artifact], tmp_path: Path) -> None:
    """Of the smallest adapter next to nothing but the passes: two over every token, in the warm-up and afterwards."""
    slim = {"share": 1.0, "epochs": 2, "batch_size": 4, "lora": {"rank": 1, "targets": ["q_proj"]}}
    same = messages(tmp_path / "same", tiny_pool(11))
    told = influence(tmp_path / "out", inputs | {"data": same, "trusted": same}, warmup=slim, width=1)
    assert told["forward_units"] == pytest.approx(2 * 2 * 3, rel=0.05)
    facts = json.loads((tmp_path / "out" / "less.json").read_text())
    assert [c["step"] for c in facts["checkpoints"]] == [3, 6]
    assert facts["parameters"] == 2 * (16 + 16)
    rows = load_encoder(inputs["model"].path, 2048).encode_batch(tiny_pool(11))
    assert told["forward_tokens"] == pytest.approx(told["forward_units"] * sum(len(row.ids) for row in rows), rel=1e-3)


def test_the_seconds_are_those_of_training_and_comparing_whoever_did_it(
    inputs: dict[str, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is looked at twice for the warm-up and for the targets and each of three shards, at each of two
    checkpoints, and gains a second between."""
    clock = itertools.count()
    monkeypatch.setattr("sluicegate.models.meter.time.perf_counter", lambda: float(next(clock)))
    told = influence(tmp_path / "out", inputs, shard_rows=4)
    assert told["working_seconds"] == 1 + 2 * (1 + 3)


def test_what_cannot_be_done_is_told(root: Path, inputs: dict[str, Artifact], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no row to score"):
        influence(tmp_path / "none", inputs | {"data": messages(root / "none", [])})
    stranger = pa.table({"id": ["stranger"], "gate": [1.0]})
    cut = messages(root / "cut", [row("How much? " * 60, "Much.")])
    with pytest.raises(DataError, match="none of the 1 rows drawn for the warm-up"):
        influence(tmp_path / "cut", inputs | {"data": cut}, max_length=64)
    other = sealed(root, "scores", lambda out: pq.write_table(stranger, out / "scores.parquet"))
    with pytest.raises(ArtifactError, match="has row stranger, which was not scored here"):
        influence(tmp_path / "beside", inputs | {"beside": other})
