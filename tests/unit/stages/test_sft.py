from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from sluicegate.artifacts import Artifact, external, file_hash, write_arrow, write_table
from sluicegate.config import build
from sluicegate.errors import ArtifactError, ConfigError, DataError
from sluicegate.models.encode import Encoder
from sluicegate.models.load import load
from sluicegate.schema import Decision, Record, make_record
from sluicegate.stages.evaluate import Evaluate
from sluicegate.stages.sft import TOKENS, Sft
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool

QUICK = {"max_steps": 2, "total_batch": 4, "learning_rate": 1e-3}
IDS = torch.tensor([[5, 9, 40, 41, 42]])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("base")), "model-external-0")


def data_of(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def selection_of(root: Path, ids: list[str], kept: set[str]) -> Artifact:
    rows = [{"id": i, "kept": i in kept, "rank": rank, "reason": "why not"} for rank, i in enumerate(ids)]
    return sealed(root, "selection", lambda out: {"rows": write_table(out / "selection.parquet", rows, Decision)})


def sft(out: Path, inputs: dict[str, Artifact], **config: Any) -> dict[str, Any]:
    out.mkdir()
    return Sft().fill(out, build(Sft.Config, {**QUICK, **config}), inputs)


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(IDS).logits


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_contract(method: str, base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": data_of(tmp_path, tiny_pool(10))}
    made = check_stage(Sft, {**QUICK, "method": method}, inputs, tmp_path / "made")
    told = json.loads((made.path / "training.json").read_text(encoding="utf-8"))
    assert told["method"] == method
    assert told["label_tokens"] == made.stats["label_tokens"] > 0
    assert [point["step"] for point in told["curve"]] == [1, 2]


def test_a_full_model_opens_with_plain_transformers(base: Artifact, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    before = {path.name: file_hash(path) for path in base.path.iterdir()}
    sft(tmp_path / "out", {"model": base, "data": data_of(tmp_path, tiny_pool(10))}, method="full")
    tuned = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert not torch.equal(logits(tuned), logits(AutoModelForCausalLM.from_pretrained(base.path)))
    assert AutoTokenizer.from_pretrained(tmp_path / "out")("a b")["input_ids"]
    assert {path.name: file_hash(path) for path in base.path.iterdir()} == before


def test_an_adapter_opens_with_plain_peft_and_is_evaluated_with_its_base(base: Artifact, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    data = data_of(tmp_path, tiny_pool(10))
    sft(tmp_path / "out", {"model": base, "data": data}, method="lora", learning_rate=0.1)
    plain = AutoModelForCausalLM.from_pretrained(base.path)
    untuned = logits(plain)
    tuned = logits(PeftModel.from_pretrained(plain, str(tmp_path / "out")))
    assert not torch.equal(tuned, untuned)
    assert torch.equal(logits(load(tmp_path / "out", device="cpu").model), tuned)
    losses = [
        check_stage(Evaluate, {"max_new_tokens": 2}, {"model": model, "data": data}, tmp_path / name).stats["loss"]
        for name, model in {"before": base, "after": external(tmp_path / "out", "model-external-1")}.items()
    ]
    assert losses[1] < losses[0]


def test_it_trains_on_the_kept_rows_and_adds_the_trusted_ones_once(base: Artifact, tmp_path: Path) -> None:
    pool = tiny_pool(20)
    copy: Record = {**pool[0], "id": pool[0]["id"] + ".2"}
    ids = [row["id"] for row in [*pool, copy]]
    inputs = {
        "model": base,
        "data": data_of(tmp_path, [*pool, copy]),
        "selection": selection_of(tmp_path, ids, {copy["id"], *ids[3:9]}),
        "trusted": data_of(tmp_path / "trusted", [pool[0], pool[4], pool[12], *tiny_pool(22)[20:]]),
    }
    stats = sft(tmp_path / "out", inputs)
    assert (stats["pool_rows"], stats["trusted_rows"], stats["rows"]) == (7, 3, 10)


def test_a_selection_of_other_data_is_refused(base: Artifact, tmp_path: Path) -> None:
    records = tiny_pool(24)
    other = selection_of(tmp_path, [row["id"] for row in records], {records[2]["id"], records[20]["id"]})
    with pytest.raises(ArtifactError, match=f"{other.id} keeps 1 row .* {records[20]['id']}") as err:
        sft(tmp_path / "out", {"model": base, "data": data_of(tmp_path, records[:10]), "selection": other})
    assert err.value.exit_code == 3
    assert "the data that was scored" in err.value.hint


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"method": "full"}, "full fine-tuning keeps float32 weights"),
        ({"method": "full", "dtype": "float32"}, "asked for"),
        ({"method": "lora", "dtype": "float32"}, "asked for"),
    ],
)
def test_the_dtype_is_told_with_its_reason(
    config: dict[str, Any], why: str, base: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sft(tmp_path / "out", {"model": base, "data": data_of(tmp_path, tiny_pool(6))}, **config)
    assert f": float32 on cpu ({why})" in capsys.readouterr().err or torch.cuda.is_available()


def test_no_rows_is_an_error(base: Artifact, tmp_path: Path) -> None:
    records = tiny_pool(4)
    none = selection_of(tmp_path, [row["id"] for row in records], set())
    with pytest.raises(DataError, match="no rows to train on"):
        sft(tmp_path / "out", {"model": base, "data": data_of(tmp_path, records), "selection": none})


def long_row(question: str) -> Record:
    turns: Any = [{"role": "user", "content": question}, {"role": "assistant", "content": "The answer is 5."}]
    return make_record(turns, "long", "en")


def test_a_row_without_label_tokens_is_an_error_that_names_it(base: Artifact, tmp_path: Path) -> None:
    row = long_row("How many? " * 30)
    data = data_of(tmp_path, [*tiny_pool(5), row])
    with pytest.raises(DataError, match=f"1 row has no label tokens: {row['id']}") as err:
        sft(tmp_path / "out", {"model": base, "data": data}, max_length=100)
    assert "max_length" in err.value.hint


def test_what_is_cut_off_is_counted_and_warned_about(
    base: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = data_of(tmp_path, [*tiny_pool(5), long_row("How many? " * 7)])
    stats = sft(tmp_path / "out", {"model": base, "data": data}, max_length=100)
    assert stats["truncated"] == 1
    said = capsys.readouterr().err
    assert "1 row is longer than max_length=100" in said
    assert f"{stats['label_tokens']:,} of them label tokens" in said


def test_an_adapter_is_no_base(base: Artifact, tmp_path: Path) -> None:
    data = data_of(tmp_path, tiny_pool(6))
    sft(tmp_path / "adapter", {"model": base, "data": data}, method="lora")
    adapter = external(tmp_path / "adapter", "model-external-1")
    with pytest.raises(ArtifactError, match="is an adapter"):
        sft(tmp_path / "out", {"model": adapter, "data": data})


def test_no_bar_but_ours_is_shown(base: Artifact, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from transformers.utils.logging import enable_progress_bar

    enable_progress_bar()
    sft(tmp_path / "out", {"model": base, "data": data_of(tmp_path, tiny_pool(6))})
    said = capfd.readouterr()
    assert "it/s" not in said.err + said.out


def test_a_dry_run_knows_what_it_trains_on_and_how_long() -> None:
    def told(options: dict[str, Any], **inputs: dict[str, int]) -> dict[str, int]:
        return Sft().estimate(build(Sft.Config, options), inputs)

    data, kept, trusted = ({"rows": n, "tokens": 9 * n} for n in (1000, 200, 50))
    assert told({"max_steps": 160}, data=data) == {"rows": 1000, "tokens": 9000, "steps": 160}
    chosen = told({"epochs": 2, "total_batch": 16}, data=data, selection=kept, trusted=trusted)
    assert chosen == {"rows": 250, "tokens": 2250, "steps": 32}


# Rows as tokens -----------------------------------------------------------------------------------------------------


def test_trainings_on_the_same_rows_encode_them_once(
    base: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = Encoder.encode_batch
    monkeypatch.setattr(Encoder, "encode_batch", lambda self, rows: encoded.append(len(rows)) or encode(self, rows))
    inputs = {"model": base, "data": data_of(tmp_path, tiny_pool(10))}
    stats = [sft(tmp_path / f"seed-{seed}", inputs, seed=seed) for seed in (0, 1)]
    assert encoded == [10]
    assert stats[0]["label_tokens"] == stats[1]["label_tokens"]
    sft(tmp_path / "short", inputs, max_length=50)
    assert encoded == [10, 10], "rows cut elsewhere are other rows"
    assert len(list((tmp_path / TOKENS).glob("*.arrow"))) == 2


# Sampler ------------------------------------------------------------------------------------------------------------


def test_the_contract_with_a_sampler(base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": data_of(tmp_path, tiny_pool(30))}
    made = check_stage(Sft, {**QUICK, "max_steps": 5, "sampler": {"share": "zh"}}, inputs, tmp_path / "made")
    mix = made.stats["mix"]
    assert mix["by"]["lang"] == {"en": 6, "zh": 14}
    assert mix["behind"]["zh"] <= 4
    assert json.loads((made.path / "training.json").read_text(encoding="utf-8"))["mix"] == mix


def test_phases_weigh_by_scores_and_by_meta(base: Artifact, tmp_path: Path) -> None:
    pool = tiny_pool(40)
    schema = pa.schema([("id", pa.string()), ("gate", pa.float32())])
    rows = [{"id": row["id"], "gate": n / 10} for n, row in enumerate(pool[:32])]
    scores = sealed(tmp_path, "scores", lambda out: {"rows": write_arrow(out / "scores.parquet", rows, schema)})
    inputs = {"model": base, "data": data_of(tmp_path, pool), "scores": scores}
    only_the_best = {"q1": 0, "q2": 0, "q3": 0, "none": 0}
    phases = [{"until": 2, "weights": {"gate": only_the_best}}, {"weights": {"fault": {"wrong": 0}}}]
    mixes = [sft(tmp_path / f"{n}", inputs, max_steps=n, sampler={"phases": phases})["mix"] for n in (8, 9)]
    assert [mix["phases"][0]["rows"] for mix in mixes] == [8, 8], "a quarter of those with a score, each once"
    assert mixes[0]["repeats"] == {}
    assert sum(mixes[1]["repeats"].values()) == 2, "of 32 that are not wrong, 6 were among the best"


def test_a_column_that_nobody_has_is_refused(base: Artifact, tmp_path: Path) -> None:
    inputs = {"model": base, "data": data_of(tmp_path, tiny_pool(10))}
    with pytest.raises(ConfigError, match="'gate', a column that these rows do not have") as err:
        sft(tmp_path / "out", inputs, sampler={"phases": [{"weights": {"gate": {"q4": 2}}}]})
    assert "lang, source, bucket" in err.value.hint


def test_a_dry_run_leaves_the_steps_to_the_sampler() -> None:
    data = {"rows": 100, "tokens": 900}
    for options, told in (({}, data), ({"max_steps": 7}, {**data, "steps": 7})):
        assert Sft().estimate(build(Sft.Config, {"sampler": {}, **options}), {"data": data}) == told
