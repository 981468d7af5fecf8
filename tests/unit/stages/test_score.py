"""Scores on disk: their columns, their resumption, and what is refused."""

from __future__ import annotations

import math
import re
import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from sluicegate.artifacts import Artifact, Store, external, read_rows, write_table
from sluicegate.config import build, result_fields
from sluicegate.errors import ArtifactError, ConfigError, DataError, MissingError
from sluicegate.schema import Record
from sluicegate.scoring import forward
from sluicegate.scoring.forward import Reader
from sluicegate.scoring.passes import NOT_FINITE
from sluicegate.stages.score import Score
from sluicegate.stages.warmup import Warmup
from sluicegate.testing import check_stage, sealed, tiny_gate, tiny_model, tiny_pool

POOL = tiny_pool(11)
RECORDS = [*POOL, {**POOL[0], "id": POOL[0]["id"] + ".2"}]
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


def model_in(folder: Path) -> Artifact:
    return external(folder.resolve(), f"model-external-{folder.name}")


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
    config = build(Warmup.Config, {"reference": {"method": "off"}, "epochs": 1, "copies": 1, "context_gain": False})
    inputs = {"model": base, "trusted": messages(root / "trusted", tiny_pool(20))}
    return sealed(root, "gate", lambda out: Warmup().fill(out, config, inputs), inputs)


@pytest.fixture(scope="module")
def gate_on_copy(root: Path, base: Artifact) -> Artifact:
    """A gate that reads a tuned copy of the base."""
    return tiny_gate(root / "tuned", base.path)


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
    score(tmp_path / "whole", inputs, shard_rows=3)
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
    score(tmp_path / "again", inputs, shard_rows=3)
    assert read == [3, 3, 3, 3, 3, "stop", 3, 3, 3]
    for name in ("scores.parquet", "scores.head.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(p.name for p in (tmp_path / "again").iterdir()) == ["scores.head.jsonl", "scores.parquet"]


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
