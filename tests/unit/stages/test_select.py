from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sluicegate.artifacts import Artifact, read_rows, write_arrow, write_table
from sluicegate.config import build, result_fields
from sluicegate.errors import ConfigError, DataError
from sluicegate.registry import RULES
from sluicegate.schema import Record
from sluicegate.stages.select import Select, _as_numpy
from sluicegate.testing import check_stage, sealed, tiny_pool

COLUMNS = pa.schema(
    [(name, pa.string()) for name in ("id", "source", "lang")]
    + [("n_prompt_tokens", pa.int32()), ("n_label_tokens", pa.int32())]
    + [("gate", pa.float32()), ("gate_why", pa.string()), ("length", pa.float32()), ("length_why", pa.string())]
    + [("prompt_state", pa.list_(pa.float32())), ("gate_targets", pa.list_(pa.float32()))]
)


def score(n: int, record: Record) -> dict[str, Any]:
    lost = n == 3
    own = {"id": record["id"], "source": record["source"], "lang": record["lang"]}
    own |= {"n_prompt_tokens": 3, "n_label_tokens": 4, "prompt_state": [float(n % 3), 1.0]}
    gate = {"gate": math.nan if lost else float(n % 7), "gate_why": "cut" if lost else ""}
    return {**own, **gate, "gate_targets": [gate["gate"], float(n)], "length": 1.0, "length_why": ""}


def scores_of(root: Path, records: list[Record]) -> Artifact:
    data = sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})
    rows = [score(n, record) for n, record in enumerate(records)]
    fill = lambda out: {"rows": write_arrow(out / "scores.parquet", rows, COLUMNS)}  # noqa: E731
    return sealed(root, "scores", fill, {"data": data})


@pytest.fixture
def pool() -> list[Record]:
    """24 records; the last one has the messages of the first."""
    records = tiny_pool(23)
    return [*records, {**records[0], "id": records[0]["id"] + ".2"}]


@pytest.fixture
def scores(tmp_path: Path, pool: list[Record]) -> Artifact:
    return scores_of(tmp_path / "store", pool)


def select(scores: Artifact, out: Path, **config: Any) -> dict[str, Any]:
    out.mkdir()
    return Select().fill(out, build(Select.Config, config), {"scores": scores})


@pytest.mark.parametrize("rule", RULES.names())
def test_the_contract_with_every_rule(rule: str, scores: Artifact, tmp_path: Path) -> None:
    own = {"threshold": {"at_least": -100.0}, "blend": {"signals": {"gate": 1.0}}}.get(rule, {})
    options = {"rule": rule, "by": "gate", "options": {"fraction": 0.25, **own}}
    made = check_stage(Select, options, {"scores": scores}, tmp_path)
    assert made.stats == {"rows": 24, "kept": 6, "duplicates": 1, "unscored": 1}


def test_every_record_has_a_decision_with_its_reason(scores: Artifact, pool: list[Record], tmp_path: Path) -> None:
    select(scores, tmp_path / "out", by="gate", options={"rows": 3})
    decided = {row["id"]: row for row in read_rows(tmp_path / "out/selection.parquet")}
    assert list(decided) == [record["id"] for record in pool]
    assert [n for n, record in enumerate(pool) if decided[record["id"]]["kept"]] == [6, 13, 20]
    assert decided[pool[3]["id"]]["reason"] == "no gate score: cut"
    assert decided[pool[23]["id"]]["reason"] == f"copy of {pool[0]['id']}"


def test_a_share_of_label_tokens_is_kept_to(scores: Artifact, tmp_path: Path) -> None:
    assert select(scores, tmp_path / "out", by="gate", options={"token_fraction": 0.3})["kept"] == 7  # 28 of 96 tokens


def test_kept_messages_stand_in_the_order_of_the_data(scores: Artifact, pool: list[Record], tmp_path: Path) -> None:
    select(scores, tmp_path / "out", rule="random", options={"fraction": 1.0}, dedup="none")
    lines = [json.loads(line) for line in (tmp_path / "out/selected.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == [record["id"] for record in pool]
    assert lines[3]["scores"] == {"gate": None, "length": 1.0}
    assert lines[4] == {
        "dataset": "tiny/0",
        "id": pool[4]["id"],
        "scores": {"gate": 4.0, "length": 1.0},
        "messages": pool[4]["messages"],
    }


def test_scrambled_meta_changes_no_byte(pool: list[Record], tmp_path: Path) -> None:
    scrambled: list[Record] = [{**record, "meta": '{"fault": "?"}'} for record in pool]
    for name, records in {"one": pool, "two": scrambled}.items():
        config = {"rule": "clusters", "by": "gate", "options": {"fraction": 0.5}}
        select(scores_of(tmp_path / f"{name}.store", records), tmp_path / name, **config)
    for file in ("selection.parquet", "selected.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_other_data_than_was_scored_is_refused(scores: Artifact, tmp_path: Path) -> None:
    other = sealed(tmp_path, "messages", lambda out: {"n": write_table(out / "messages.parquet", tiny_pool(2), Record)})
    (tmp_path / "out").mkdir()
    config = build(Select.Config, {"by": "gate", "options": {"rows": 5}})
    with pytest.raises(DataError, match=rf"5 kept records are not in {other.id}"):
        Select().fill(tmp_path / "out", config, {"scores": scores, "data": other})


def test_columns_of_several_pieces_are_read_as_one() -> None:
    texts = pa.chunked_array([["b", "a"], ["c", "a", "c"]])
    assert _as_numpy(texts).tolist() == ["b", "a", "c", "a", "c"]
    lists = pa.chunked_array([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]])
    assert _as_numpy(lists).tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_signal_that_was_not_scored(scores: Artifact, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no signal 'gat'(.|\n)*did you mean 'gate'"):
        select(scores, tmp_path / "out", by="gat", options={"rows": 5})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"rule": "topk", "options": {"rows": 1}}, "no rule named 'topk'(.|\n)*did you mean 'top_k'"),
        ({"options": {"rows": 1}}, "steps.pick: rule 'top_k' ranks by a signal, and `by` names none"),
        ({"by": "gate"}, "steps.pick.options: give exactly one budget"),
        ({"by": "gate", "options": {"row": 1}}, r"steps\.pick\.options\.row: no such key, did you mean 'rows'"),
        ({"by": "gate", "options": {"row": 1, "fraction": 2}}, r"options\.fraction: .*less than or equal to 1"),
        ({"rule": "random", "options": [1]}, "steps.pick.options: "),
        ({"rule": 3, "options": {"rows": 1}}, r"steps\.pick\.rule: .*string"),
    ],
)
def test_options_are_checked_before_anything_runs(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(Select.Config, config, "steps.pick")


def test_a_rules_defaults_are_part_of_the_fingerprint() -> None:
    config = build(Select.Config, {"rule": "random", "options": {"rows": 3}})
    assert result_fields(config)["options"] == {
        "fraction": None, "rows": 3, "tokens": None, "token_fraction": None, "seed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"fraction": 0.1}, {"rows": 10, "tokens": 500}),
        ({"rows": 500}, {"rows": 100, "tokens": 5000}),
        ({"tokens": 500}, {"rows": 10, "tokens": 500}),
        ({"tokens": 99_999}, {"rows": 100, "tokens": 5000}),
        ({"token_fraction": 0.25}, {"rows": 25, "tokens": 1250}),
    ],
)
def test_a_dry_run_tells_what_a_budget_comes_to(budget: dict[str, Any], told: dict[str, int]) -> None:
    config = build(Select.Config, {"by": "gate", "options": budget})
    assert Select().estimate(config, {"scores": {"rows": 100, "tokens": 5000}}) == told
    assert Select().estimate(config, {"scores": {"rows": 100, "label_tokens": 5000}}) == told, "scores that stand"
    assert Select().estimate(config, {"scores": {}}) == {"rows": 0, "tokens": 0}
