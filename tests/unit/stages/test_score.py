"""Scores on disk: their columns, their resumption, and what is refused."""

from __future__ import annotations

import math
import re
import shutil
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from fake_gates import fake_gate, model_in
from sluicegate.artifacts import Artifact, Store, read_rows, write_table
from sluicegate.config import build, result_fields
from sluicegate.errors import ArtifactError, ConfigError, DataError, MissingError
from sluicegate.models import surprise
from sluicegate.models.gates import files
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.models.load import load_encoder
from sluicegate.schema import Record
from sluicegate.scoring import forward, ray_runner
from sluicegate.scoring.forward import Reader
from sluicegate.scoring.passes import NOT_FINITE
from sluicegate.stages.score import Score
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool

POOL = tiny_pool(11)
RECORDS = [*POOL, {**POOL[0], "id": POOL[0]["id"] + ".2"}]
UNSEALED = {"scores.parquet", "scores.head.jsonl", "cost.draft"}
BASE_COLUMNS = {
    "id": pa.string(),
    "source": pa.string(),
    "lang": pa.string(),
    "n_prompt_tokens": pa.int32(),
    "n_label_tokens": pa.int32(),
    "n_truncated_tokens": pa.int32(),
}


def messages(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def base(root: Path) -> Artifact:
    return model_in(tiny_model(root.parent / "base"))


@pytest.fixture(scope="module")
def data(root: Path) -> Artifact:
    """Eleven sums and a copy of the first."""
    return messages(root / "pool", RECORDS)


@pytest.fixture(scope="module")
def gate(root: Path, base: Artifact) -> Artifact:
    """A gate that reads the base itself."""
    return fake_gate(root, base)


@pytest.fixture(scope="module")
def gate_on_copy(root: Path, base: Artifact) -> Artifact:
    """A gate that reads a copy of the base with other weights."""
    return fake_gate(root, base, copy=True)


@pytest.fixture(scope="module")
def two_members(root: Path, base: Artifact) -> Artifact:
    """A cross-fitted gate, each half of which reads a copy of its own."""
    return fake_gate(root, base, copy=True, members=("0", "1"))


def score(out: Path, inputs: dict[str, Artifact], **config: Any) -> dict[str, Any]:
    out.mkdir(exist_ok=True)
    return Score().fill(out, build(Score.Config, config), inputs)


def column(out: Path, name: str) -> list[Any]:
    return [row[name] for row in read_rows(out / "scores.parquet")]


def test_the_contract_with_one_pass(data: Artifact, gate: Artifact, tmp_path: Path) -> None:
    made = check_stage(Score, {"shard_rows": 5}, {"data": data, "gate": gate}, tmp_path)
    assert made.stats["rows"] == 12
    assert made.stats["passes"] == 1
    schema = made.table("scores").schema
    signals = {n: pa.float32() for n in ("gate", "perplexity", "length", "random")}
    whys = {f"{n}_why": pa.string() for n in signals}
    assert {f.name: f.type for f in schema} == BASE_COLUMNS | signals | whys | {"prompt_state": pa.list_(pa.float32())}
    assert sorted(f["path"] for f in made.manifest["files"]) == ["scores.head.jsonl", "scores.parquet"]


def test_the_contract_with_a_pass_for_each_model(data: Artifact, gate_on_copy: Artifact, tmp_path: Path) -> None:
    options = {"signals": ["perplexity", "reference", "gate"]}
    made = check_stage(Score, options, {"data": data, "gate": gate_on_copy}, tmp_path)
    assert made.stats["passes"] == 2
    rows = list(made.rows("scores"))
    assert [r["id"] for r in rows] == [r["id"] for r in RECORDS]
    assert all(abs(math.log(-r["perplexity"]) + r["reference"]) > 0.5 for r in rows), "two models, two losses"


@pytest.mark.parametrize(
    ("detail", "added"),
    [
        ("sample", {"loss", "entropy", "gate_layers"}),
        ("tokens", {"loss", "entropy", "gate_layers", "nll", "gate_logits"}),
    ],
)
def test_detail_adds_columns_and_leaves_the_others_as_they_are(
    detail: str, added: set[str], data: Artifact, gate_on_copy: Artifact, tmp_path: Path
) -> None:
    inputs = {"data": data, "gate": gate_on_copy}
    made = check_stage(Score, {"detail": detail, "shard_rows": 5}, inputs, tmp_path)
    score(tmp_path / "plain", inputs, shard_rows=5)
    plain = pq.read_table(tmp_path / "plain/scores.parquet")
    table = made.table("scores")
    assert set(table.column_names) - set(plain.column_names) == added
    assert table.select(plain.column_names).equals(plain.select(plain.column_names))
    for row in table.to_pylist():
        assert row["gate"] == pytest.approx(np.mean(row["gate_layers"]), rel=1e-5)
        assert row["loss"] != pytest.approx(math.log(-row["perplexity"]), rel=1e-2), "of the copy, not of the base"
        if detail == "tokens":
            assert [len(row["nll"])] * len(row["gate_layers"]) == [len(z) for z in row["gate_logits"]]
            assert len(row["nll"]) == row["n_label_tokens"]


def test_columns_do_not_hang_on_the_order_of_the_data(data: Artifact, gate_on_copy: Artifact, tmp_path: Path) -> None:
    signals = ["gate", "perplexity", "reference", "length", "random"]
    backwards = messages(tmp_path / "in", RECORDS[::-1])
    for name, pool in {"one": data, "two": backwards}.items():
        score(tmp_path / name, {"data": pool, "gate": gate_on_copy}, signals=signals, shard_rows=5)
    one, two = ({r["id"]: r for r in read_rows(tmp_path / name / "scores.parquet")} for name in ("one", "two"))
    assert list(one) == [r["id"] for r in RECORDS] == list(two)[::-1]
    for record_id, row in one.items():
        assert [row[s] for s in signals] == pytest.approx([two[record_id][s] for s in signals], rel=1e-4)
        assert row["n_label_tokens"] == two[record_id]["n_label_tokens"] == row["length"]


def test_the_size_of_shards_and_batches_is_speed_only(data: Artifact, gate: Artifact, tmp_path: Path) -> None:
    small = {"shard_rows": 2, "batch_tokens": 50}
    assert result_fields(build(Score.Config, small)) == result_fields(build(Score.Config, {}))
    score(tmp_path / "one", {"data": data, "gate": gate})
    score(tmp_path / "two", {"data": data, "gate": gate}, **small)
    for name in ("gate", "perplexity"):
        np.testing.assert_allclose(column(tmp_path / "one", name), column(tmp_path / "two", name), rtol=1e-4)


def test_a_stopped_run_goes_on_at_the_shard_and_ends_in_the_same_bytes(
    data: Artifact, gate_on_copy: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {"data": data, "gate": gate_on_copy}
    whole = score(tmp_path / "whole", inputs, shard_rows=3)
    see, read = Reader.see, []

    def stops(reader: Reader, rows: Any, *args: Any) -> Any:
        if len(read) == 5:  # in the second shard of the second pass
            read.append("stop")
            raise KeyboardInterrupt
        read.append(len(rows))
        return see(reader, rows, *args)

    monkeypatch.setattr(Reader, "see", stops)
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path / "again", inputs, shard_rows=3)
    assert not (tmp_path / "again/scores.parquet").exists()
    again = score(tmp_path / "again", inputs, shard_rows=3)
    assert read == [3, 3, 3, 3, 3, "stop", 3, 3, 3]
    assert again["forward_tokens"] == whole["forward_tokens"] > 0
    for name in ("scores.parquet", "scores.head.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert {p.name for p in (tmp_path / "again").iterdir()} == UNSEALED


def test_the_cost_is_every_token_that_a_model_read(
    data: Artifact, base: Artifact, trusted: Artifact, tmp_path: Path
) -> None:
    """Each row alone, and so without padding; `rds` reads the trusted rows besides, `ifd` the replies once more."""
    inputs = {"data": data, "model": base}
    encoder = load_encoder(base.path, 2048)
    pool, known = (encoder.encode_batch(list(x.rows("messages"))) for x in (data, trusted))  # type: ignore[arg-type]
    tokens = sum(len(row.ids) for row in pool)

    def cost(*signals: str, **more: Artifact) -> float:
        out = tmp_path / "-".join(signals)
        told = score(out, inputs | more, signals=list(signals), shard_rows=5, batch_tokens=1)
        assert told["working_seconds"] > 0
        return told["forward_tokens"]

    assert cost("length", "random") == 0
    assert cost("perplexity") == cost("perplexity", "length") == tokens
    assert cost("rds", trusted=trusted) == tokens + sum(len(row.ids) for row in known)
    assert cost("perplexity", "ifd") == tokens + sum(len(surprise.without_prompt(row).ids) for row in pool)


def test_padding_is_read_too(data: Artifact, base: Artifact, tmp_path: Path) -> None:
    rows = load_encoder(base.path, 2048).encode_batch(list(data.rows("messages")))  # type: ignore[arg-type]
    told = score(tmp_path / "scores", {"data": data, "model": base}, signals=["perplexity"])
    assert told["forward_tokens"] == len(rows) * max(len(row.ids) for row in rows)


def test_shards_of_another_size_are_not_taken_for_these(
    data: Artifact, base: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {"data": data, "model": base}
    score(tmp_path / "whole", inputs, signals=["perplexity"], shard_rows=4)
    see = Reader.see
    calls: list[int] = []

    def stops(reader: Reader, rows: Any, *args: Any) -> Any:
        calls.append(len(rows))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return see(reader, rows, *args)

    monkeypatch.setattr(Reader, "see", stops)
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path / "again", inputs, signals=["perplexity"], shard_rows=3)
    score(tmp_path / "again", inputs, signals=["perplexity"], shard_rows=4)
    assert column(tmp_path / "again", "perplexity") == column(tmp_path / "whole", "perplexity")


def test_one_model_is_in_memory_at_a_time(
    data: Artifact, gate_on_copy: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[Any] = []
    load_plain = forward.load_plain

    def loads(*asked: Any) -> Any:
        assert all(model() is None for model in models), "the model of the pass before is still held"
        loaded = load_plain(*asked)
        models.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(forward, "load_plain", loads)
    score(tmp_path / "out", {"data": data, "gate": gate_on_copy}, shard_rows=5)
    assert len(models) == 2


def test_the_two_models_of_a_gate_have_two_names(
    data: Artifact, gate_on_copy: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score(tmp_path / "out", {"data": data, "gate": gate_on_copy})
    assert re.findall(r"  base( \(tuned copy\))?: float32", capsys.readouterr().err) == [" (tuned copy)", ""]


def test_signals_that_read_no_model_load_none(
    data: Artifact, base: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "load_plain", lambda *asked: pytest.fail("a model was loaded"))
    stats = score(tmp_path / "out", {"data": data, "model": base}, signals=["length", "random"])
    assert stats["passes"] == 0
    assert "prompt_state" not in next(read_rows(tmp_path / "out/scores.parquet"))


def test_rows_cut_off_are_counted_and_those_without_a_reply_are_told(
    base: Artifact, data: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = {"data": data, "model": base}
    stats = score(tmp_path / "out", inputs, signals=["perplexity", "length", "random"], max_length=40)
    assert stats["truncated"] == 12
    assert 0 < stats["unscored_perplexity"] == stats["unscored_length"] < 12
    assert "unscored_random" not in stats
    assert "12 rows are longer than max_length=40" in capsys.readouterr().err
    for row in read_rows(tmp_path / "out/scores.parquet"):
        lost = row["n_label_tokens"] == 0
        assert row["perplexity_why"] == row["length_why"] == ("no response token left" if lost else "")
        assert math.isnan(row["perplexity"]) == math.isnan(row["length"]) == lost
        assert row["n_truncated_tokens"] > 0


def test_numbers_of_a_broken_model_are_never_written_as_scores(base: Artifact, data: Artifact, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file
    from transformers import AutoTokenizer

    broken = shutil.copytree(base.path, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    token = AutoTokenizer.from_pretrained(broken)("7")["input_ids"][0]
    weights["model.embed_tokens.weight"][token] = torch.inf
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    stats = score(tmp_path / "out", {"data": data, "model": model_in(broken)}, signals=["perplexity"])
    rows = list(read_rows(tmp_path / "out/scores.parquet"))
    lost = ["7" in str(record["messages"]) for record in RECORDS]
    assert stats["unscored_perplexity"] == sum(lost) not in (0, 12)
    assert [math.isnan(row["perplexity"]) for row in rows] == lost
    assert [row["perplexity_why"] for row in rows] == [NOT_FINITE if gone else "" for gone in lost]
    assert all(math.isfinite(x) for row in rows for x in row["prompt_state"])


def test_an_adapter_is_scored_as_the_model_it_makes(base: Artifact, data: Artifact, tmp_path: Path) -> None:
    from sluicegate.models import adapters
    from sluicegate.models.load import load

    loaded = load(base.path)
    adapted = adapters.attach(loaded.model, adapters.LoraSettings())
    for name, p in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p)
    adapters.save_adapter(adapted, tmp_path / "adapter", base.path)
    loaded.tokenizer.save_pretrained(tmp_path / "adapter")
    adapted.merge_and_unload().save_pretrained(tmp_path / "merged")  # type: ignore[operator]
    loaded.tokenizer.save_pretrained(tmp_path / "merged")
    for name in ("adapter", "merged"):
        score(tmp_path / f"{name}-out", {"data": data, "model": model_in(tmp_path / name)}, signals=["perplexity"])
    found, wanted = (column(tmp_path / f"{name}-out", "perplexity") for name in ("adapter", "merged"))
    assert found == pytest.approx(wanted, rel=1e-5)
    score(tmp_path / "base-out", {"data": data, "model": base}, signals=["perplexity"])
    assert found != pytest.approx(column(tmp_path / "base-out", "perplexity"), rel=1e-2)


def test_the_scores_of_a_gate_of_two_members_are_the_means_of_each(
    two_members: Artifact, base: Artifact, data: Artifact, tmp_path: Path
) -> None:
    signals = ["gate", "reference", "perplexity", "length"]
    inputs = {"data": data, "gate": two_members}
    stats = score(tmp_path / "both", inputs, signals=signals, detail="tokens", shard_rows=5)
    assert stats["passes"] == 3
    both = pq.read_table(tmp_path / "both/scores.parquet")
    alone = []
    for member in ("0", "1"):
        one = sealed(tmp_path / member, "gate", partial(_copy_of, two_members.path / member), {"model": base})
        score(tmp_path / f"{member}-out", {"data": data, "gate": one}, signals=signals, detail="tokens", shard_rows=5)
        alone.append(pq.read_table(tmp_path / f"{member}-out/scores.parquet"))
    for name in ("gate", "reference", "gate_layers", "gate_logits", "nll", "loss", "entropy"):
        flat, *members = (flattened(table[name]) for table in (both, *alone))
        np.testing.assert_allclose(flat, np.mean(members, axis=0), rtol=2e-3, atol=2e-3)
        assert np.abs(members[0] - members[1]).max() > 0.01, "two gates, two numbers"
    assert both["perplexity"].equals(alone[0]["perplexity"])
    assert both["length"].equals(alone[0]["length"])


def _copy_of(folder: Path, out: Path) -> None:
    shutil.copytree(folder, out, dirs_exist_ok=True)


def flattened(column: Any) -> np.ndarray:
    column = column.combine_chunks()
    while pa.types.is_list(column.type):
        column = column.flatten()
    return column.to_numpy(zero_copy_only=False).astype(np.float32)


class Shuts(SurpriseGate):
    """Halves what its MLP gives out: the least a gate that acts can do."""

    kind = "shuts"
    acts = True

    def watch(self, x: Any, output: Any) -> Any:
        super().watch(x, output)
        return output / 2


@pytest.mark.parametrize("copy", [False, True])
def test_a_gate_that_acts_changes_no_other_signal(
    copy: bool, base: Artifact, data: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(files.KINDS, Shuts.kind, Shuts)
    signals = ["gate", "perplexity", "reference"]
    scores = {}
    for kind in (SurpriseGate, Shuts):
        gate = fake_gate(tmp_path / kind.kind, base, copy=copy, kind=kind)
        inputs = {"data": data, "gate": gate}
        stats = score(tmp_path / f"{kind.kind}-out", inputs, signals=signals, detail="sample")
        assert stats["passes"] == 1 + copy + kind.acts
        scores[kind] = {name: column(tmp_path / f"{kind.kind}-out", name) for name in [*signals, "loss"]}
    plain, acting = scores.values()
    assert acting["perplexity"] == plain["perplexity"]
    assert acting["reference"] == plain["reference"]
    assert acting["gate"] != pytest.approx(plain["gate"], rel=1e-3)
    assert acting["loss"] != pytest.approx(plain["loss"], rel=1e-5), "the loss is of the model as the gates change it"


def test_parts_of_the_work_are_put_together_into_the_same_bytes(
    data: Artifact, gate_on_copy: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, sizes = {"data": data, "gate": gate_on_copy}, {"shard_rows": 2, "detail": "tokens"}
    score(tmp_path / "whole", inputs, **sizes)
    (tmp_path / "parts").mkdir()
    for part in ("2/3", "0/3", "1/3"):
        config = build(Score.Config, {**sizes, "shard": part})
        i, n = Score().part(config) or pytest.fail("a part was asked for")
        told = Score().share(tmp_path / "parts", config, inputs, i, n)
        assert told == {"rows": 4, "shards": 2}
    monkeypatch.setattr(forward, "load_plain", lambda *asked: pytest.fail("a model was loaded"))
    score(tmp_path / "parts", inputs, **sizes)
    for name in ("scores.parquet", "scores.head.jsonl"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert {p.name for p in (tmp_path / "parts").iterdir()} == UNSEALED


@pytest.fixture(scope="module")
def trusted(root: Path) -> Artifact:
    """Sums that are right."""
    return messages(root / "trusted", [record for record in tiny_pool(40) if "wrong" not in record["meta"]])


LEARNERS = {"signals": ["ifd", "rds", "probe", "boost"], "options": {"ifd": {"keep_unhelped": True}}}


def test_what_every_process_learns_anew_gives_the_same_bytes(
    data: Artifact, base: Artifact, trusted: Artifact, tmp_path: Path
) -> None:
    asked = LEARNERS | {"shard_rows": 5}
    backwards = messages(tmp_path / "in", list(trusted.rows("messages"))[::-1])  # type: ignore[arg-type]
    inputs = {"data": data, "model": base}
    made = check_stage(Score, asked, inputs | {"trusted": trusted}, tmp_path)
    (tmp_path / "parts").mkdir()
    for part in ("1/2", "0/2"):
        config = build(Score.Config, asked | {"shard": part})
        Score().share(tmp_path / "parts", config, inputs | {"trusted": backwards}, int(part[0]), 2)
    parts = score(tmp_path / "parts", inputs | {"trusted": backwards}, **asked)
    assert parts["forward_tokens"] == made.stats["forward_tokens"], "what is learned counts once"
    assert (tmp_path / "parts/scores.parquet").read_bytes() == (made.path / "scores.parquet").read_bytes()
    assert set(made.stats) == {"rows", "label_tokens", "passes", "forward_tokens", "working_seconds"}
    for name in ("ifd", "rds", "probe", "boost"):
        assert len({row[name] for row in made.rows("scores")}) > 4, "rows have scores of their own"


def test_what_is_learned_does_not_hang_on_the_size_of_batches(
    data: Artifact, base: Artifact, trusted: Artifact, tmp_path: Path
) -> None:
    inputs = {"data": data, "model": base, "trusted": trusted}
    score(tmp_path / "one", inputs, **LEARNERS)
    score(tmp_path / "two", inputs, **LEARNERS, batch_tokens=300, shard_rows=3)
    for name in ("ifd", "rds", "probe", "boost"):
        found, wanted = (column(tmp_path / folder, name) for folder in ("one", "two"))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("members", [(), ("0", "1")])
def test_the_excess_is_the_loss_of_the_base_less_that_of_the_copy(
    members: tuple[str, ...], data: Artifact, base: Artifact, tmp_path: Path
) -> None:
    gate = fake_gate(tmp_path, base, copy=True, members=members)
    stats = score(tmp_path / "out", {"data": data, "gate": gate}, signals=["excess", "reference", "perplexity"])
    assert stats["passes"] == 1 + (len(members) or 1)
    rows = list(read_rows(tmp_path / "out/scores.parquet"))
    wanted = [math.log(-row["perplexity"]) + row["reference"] for row in rows]
    assert [row["excess"] for row in rows] == pytest.approx(wanted, rel=1e-4)
    assert not [name for name in rows[0] if name.startswith("-")]


def test_signals_that_learn_ask_for_trusted_rows(data: Artifact) -> None:
    config = build(Score.Config, {"signals": ["length", "rds"]})
    with pytest.raises(ConfigError, match="signal 'rds' needs trusted rows") as err:
        Score().check(config, {"data", "gate"})
    assert "add `trusted:`" in err.value.hint
    Score().check(config, {"data", "gate", "trusted"})


def test_a_table_that_is_merged_already_is_not_made_again(data: Artifact, base: Artifact, tmp_path: Path) -> None:
    inputs = {"data": data, "model": base}
    stats = score(tmp_path / "out", inputs, signals=["perplexity"])
    (tmp_path / "out/shards").mkdir()
    (tmp_path / "out/shards/tuned-0-5.parquet").write_bytes(b"left by a kill while shards were taken away")
    before = (tmp_path / "out/scores.parquet").stat()
    assert score(tmp_path / "out", inputs, signals=["perplexity"]) == stats
    assert (tmp_path / "out/scores.parquet").stat().st_mtime_ns == before.st_mtime_ns
    assert not (tmp_path / "out/shards").exists()


def test_a_part_is_parted_once_more_under_a_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    config = build(Score.Config, {"shard": "1/3"})
    assert Score().part(config) == (1, 3)
    assert Score().part(build(Score.Config, {})) is None
    found = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    for part in range(3):
        for rank in range(2):
            monkeypatch.setenv("RANK", str(rank))
            found.append(Score().part(build(Score.Config, {"shard": f"{part}/3"})))
    assert found == [(n, 6) for n in range(6)]


@pytest.mark.parametrize("part", ["3/3", "3", "1/0", "-1/3", "a/b", "1/3/5", ""])
def test_a_part_that_is_none(part: str) -> None:
    with pytest.raises(ConfigError, match=f"'{part}' is no part: write i/N") as err:
        build(Score.Config, {"shard": part}, "steps.score")
    assert err.value.hint


def test_who_does_the_work_is_speed_only() -> None:
    asked = {"shard": "0/2", "engine": "ray", "workers": 3, "shard_rows": 9, "batch_tokens": 9}
    assert result_fields(build(Score.Config, asked)) == result_fields(build(Score.Config, {}))


def test_ray_is_asked_for_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    config = build(Score.Config, {"signals": ["length"], "engine": "ray"})
    monkeypatch.setattr(ray_runner, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="engine=ray needs ray") as err:
        Score().check(config, {"data", "model"})
    assert "pip install 'sluicegate[ray]'" in err.value.hint


def test_a_gate_made_for_another_model_is_refused(gate: Artifact, data: Artifact, tmp_path: Path) -> None:
    other = model_in(tiny_model(tmp_path / "other", seed=1))
    with pytest.raises(ArtifactError, match=rf"gate {gate.id} was made for another model than {other.path}") as err:
        score(tmp_path / "out", {"data": data, "model": other, "gate": gate})
    assert err.value.exit_code == 3
    assert "warm a gate up on this model" in err.value.hint


def test_a_gate_knows_its_model_and_takes_a_copy_of_it(
    gate: Artifact, base: Artifact, data: Artifact, tmp_path: Path
) -> None:
    moved = model_in(shutil.copytree(base.path, tmp_path / "moved"))
    score(tmp_path / "one", {"data": data, "gate": gate})
    score(tmp_path / "two", {"data": data, "gate": gate, "model": moved})
    assert (tmp_path / "one/scores.parquet").read_bytes() == (tmp_path / "two/scores.parquet").read_bytes()


def test_a_model_is_held_to_its_own_head_before_it_is_read(
    data: Artifact, gate_on_copy: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = surprise.head_logits
    monkeypatch.setattr(surprise, "head_logits", lambda model, hidden: 2 * logits(model, hidden))
    for inputs in ({"data": data, "gate": gate_on_copy}, {"data": data, "model": gate_on_copy.parent("model")}):
        with pytest.raises(ArtifactError, match="in a way not known"):
            score(tmp_path / "out", inputs, signals=["reference"] if "gate" in inputs else ["perplexity"])


def test_neither_model_nor_gate() -> None:
    with pytest.raises(ConfigError, match="neither a model nor a gate"):
        Score().check(build(Score.Config, {"signals": ["length"]}), {"data"})


def test_a_model_without_a_tokenizer(base: Artifact, data: Artifact, tmp_path: Path) -> None:
    bare = shutil.copytree(base.path, tmp_path / "bare")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bare / name).unlink()
    with pytest.raises(MissingError, match="has no tokenizer") as err:
        score(tmp_path / "out", {"data": data, "model": model_in(bare)}, signals=["perplexity"])
    assert err.value.exit_code == 5


def test_data_without_rows_is_refused(base: Artifact, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row to score"):
        score(tmp_path / "out", {"data": messages(tmp_path / "in", []), "model": base}, signals=["length"])


def test_nothing_is_visible_of_a_run_that_failed(base: Artifact, tmp_path: Path) -> None:
    inputs = {"data": messages(tmp_path / "in", []), "model": base}
    with pytest.raises(DataError):
        sealed(tmp_path, "scores", lambda out: score(out, inputs, signals=["length"]), inputs)
    assert Store(tmp_path).ids() == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"signals": ["gat"]}, "no signal named 'gat'(.|\n)*did you mean 'gate'"),
        ({"signals": []}, r"steps\.score\.signals: .*at least 1"),
        ({"options": {"randm": {"seed": 1}}}, r"options\.randm: no such key, did you mean 'random'"),
        ({"options": {"random": {"sed": 1}}}, r"steps\.score\.options\.random\.sed: no such key, did you mean 'seed'"),
        ({"options": {"random": {"seed": "x"}}}, r"steps\.score\.options\.random\.seed: .*integer"),
        ({"signals": ["length"], "options": {"random": {}}}, r"options\.random: no such key, known: length"),
        ({"shard_rows": 0, "max_length": 0}, r"max_length: .*\n.*shard_rows: "),
    ],
)
def test_options_are_checked_before_anything_runs(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(Score.Config, config, "steps.score")


def test_a_signals_defaults_are_part_of_the_fingerprint() -> None:
    assert result_fields(build(Score.Config, {"signals": ["random"]}))["options"] == {"random": {"seed": 0}}
