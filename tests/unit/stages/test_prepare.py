"""Raw files and worlds into one table: every row kept in its place, or set aside with a reason."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import CHUNK_ROWS, Artifact, read_rows
from sluicegate.config import build, result_fields
from sluicegate.data.intake import Parcel
from sluicegate.errors import ConfigError, DataError
from sluicegate.schema import Record, content_id, record_id
from sluicegate.stages.prepare import Prepare
from sluicegate.testing import check_stage, sealed

SHARED = Path(__file__).parents[4] / "shared" / "data"

USER = {"role": "user", "content": "What is 1 + 1?"}
SAID = {"role": "assistant", "content": "It is 2."}
TURNS = [USER, SAID]

ROWS: dict[str, dict[str, Any]] = {
    "messages": {"messages": TURNS},
    "sharegpt": {"conversations": [{"from": "human", "value": USER["content"]}, {"from": "gpt", "value": "It is 2."}]},
    "gsm8k": {"question": USER["content"], "answer": "It is 2.\n#### 2"},
    "math": {"problem": USER["content"], "solution": r"It is $\boxed{2}$."},
    "alpaca": {"instruction": "Add.", "input": "1 + 1", "output": "It is 2."},
    "prompt_completion": {"prompt": USER["content"], "completion": "It is 2."},
    "question_answer": {"question": USER["content"], "answer": "It is 2."},
    "text": {"text": "It is 2."},
}
"""Rows of some shapes; the others are tested where they are."""
ANSWERS = {"gsm8k": "2", "math": "2"}


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def pairs(n: int, start: int = 0, word: str = "is") -> list[dict[str, str]]:
    return [{"prompt": f"What {word} number {k}?", "completion": f"It {word} {k}."} for k in range(start, start + n)]


def prepare(folder: Path, *sources: Any, **options: Any) -> Artifact:
    config = build(Prepare.Config, {"sources": [str(s) if isinstance(s, Path) else s for s in sources], **options})
    return sealed(folder / "store", "messages", lambda out: Prepare().fill(out, config, {}))


def records(made: Artifact) -> list[Record]:
    return list(made.rows("messages"))  # type: ignore[arg-type]


def prompts(made: Artifact) -> list[str]:
    return [r["messages"][0]["content"] for r in records(made)]


# Reading ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ROWS)
@pytest.mark.parametrize("named", [True, False])
def test_a_row_of_any_shape_becomes_a_record(shape: str, named: bool, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "pool.jsonl", [ROWS[shape]])
    (record,) = records(prepare(tmp_path, {"path": str(path), "shape": shape if named else "auto"}))
    assert record["messages"][-1]["role"] == "assistant"
    assert record["messages"][-1]["content"].startswith("It is ")
    assert [m["role"] for m in record["messages"][:-1]] == (["user"] if shape != "text" else [])
    assert record["id"] == record_id(record["messages"])
    assert (record["source"], record["lang"], record["answer"]) == ("pool", "en", ANSWERS.get(shape))


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".json", ".json.gz", ".csv", ".csv.gz", ".parquet"])
def test_every_file_format_gives_the_same_records(ending: str, tmp_path: Path) -> None:
    path, rows = tmp_path / f"pool{ending}", pairs(5)
    match ending.removesuffix(".gz"):
        case ".jsonl":
            jsonl(path, rows)
        case ".json":
            path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, rows[0])
                table.writeheader()
                table.writerows(rows)
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
    if ending.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    expected = records(prepare(tmp_path / "plain", jsonl(tmp_path / "pool.jsonl.gz".removesuffix(".gz"), rows)))
    assert records(prepare(tmp_path, path)) == expected


def test_rows_stand_in_the_order_of_the_sources_under_their_names(tmp_path: Path) -> None:
    first, second = jsonl(tmp_path / "z.jsonl", pairs(3)), jsonl(tmp_path / "a.jsonl", pairs(2, word="was"))
    made = prepare(tmp_path, first, {"path": str(second), "name": "old"})
    asked = [row["prompt"] for row in pairs(3) + pairs(2, word="was")]
    assert prompts(made) == asked
    assert [r["source"] for r in records(made)] == ["z"] * 3 + ["old"] * 2
    assert made.stats["by_source"] == {"old": 2, "z": 3}
    head = (made.path / "messages.head.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["messages"][0]["content"] for line in head] == asked


def test_other_columns_are_kept_in_meta(tmp_path: Path) -> None:
    row = {**ROWS["messages"], "id": "m-7", "quality": 3, "answer": 2, "vectors": [0.1] * 9}
    (record,) = records(prepare(tmp_path, jsonl(tmp_path / "x.jsonl", [row])))
    assert json.loads(record["meta"]) == {"id": "m-7", "quality": 3}
    assert record["answer"] == "2"


def test_chinese_stays_as_it_is(tmp_path: Path) -> None:
    rows = [{"prompt": "1 加 1 等于多少？", "completion": "答案是 2。"}]
    (record,) = records(prepare(tmp_path, jsonl(tmp_path / "x.jsonl", rows)))
    assert (record["lang"], record["messages"][1]["content"]) == ("zh", "答案是 2。")


# Setting aside ------------------------------------------------------------------------------------------------------


def test_every_row_is_kept_or_set_aside_with_its_place_and_its_reason(tmp_path: Path) -> None:
    good = [json.dumps(row) for row in pairs(6)]
    lines = [
        good[0],
        '{"prompt": "cut',
        good[1],
        '{"messages": [{"role": "user", "content": "alone"}]}',
        good[0],
        '{"prompt": "", "completion": "b"}',
        '{"instruction": 1, "output": "x"}',
        "[1, 2]",
        '{"col": 1}',
        json.dumps({"prompt": "long", "completion": "x" * 200}),
        *good[2:],
    ]
    path = tmp_path / "pool.jsonl"
    path.write_bytes("\n".join(lines).encode() + b'\n{"prompt": "\xff", "completion": "b"}\n')
    made = prepare(tmp_path, path, max_bad_share=0.6, max_chars=100)
    dropped = list(made.rows("dropped"))
    assert [(d["line"], d["reason"]) for d in dropped] == [
        (2, "invalid JSON: Unterminated string starting at"),
        (4, "no assistant turn"),
        (5, f"duplicate: of {path} line 1"),
        (6, "empty turn: user"),
        (7, "wrong type: 'instruction' is a number, not text"),
        (8, "wrong type: a row is a list, not an object with named columns"),
        (9, "no known shape: columns col"),
        (10, "too long: 204 characters, max_chars is 100"),
        (15, "invalid UTF-8"),
    ]
    assert {d["source"] for d in dropped} == {"pool"}
    assert dropped[0]["text"] == '{"prompt": "cut'
    assert len(prompts(made)) == 6
    stats = made.stats
    assert (stats["rows"], stats["read"], stats["dropped"], stats["duplicates"]) == (6, 15, 9, 1)
    assert sum(stats["by_reason"].values()) == 9
    assert stats["by_reason"]["wrong type"] == 2
    card = (made.path / "card.md").read_text(encoding="utf-8")
    assert "6 rows of 15 read" in card
    assert "line 4: no assistant turn" in card


@pytest.mark.parametrize(("bad", "share", "stops"), [(1, 0.1, False), (2, 0.1, True), (1, 0.0, True), (9, 0.9, False)])
def test_the_stage_stops_past_max_bad_share(tmp_path: Path, bad: int, share: float, stops: bool) -> None:
    path = jsonl(tmp_path / "pool.jsonl", [*pairs(10 - bad), *[{"messages": [USER]}] * bad])
    if not stops:
        assert prepare(tmp_path, path, max_bad_share=share).stats["dropped"] == bad
        return
    with pytest.raises(DataError) as caught:
        prepare(tmp_path, path, max_bad_share=share)
    place = f"{path} line {11 - bad}: no assistant turn"
    assert caught.value.message == f"{place}; {bad} of 10 rows cannot be used, and max_bad_share is {share}"
    assert caught.value.hint
    assert caught.value.exit_code == 3
    assert not list((tmp_path / "store").glob("[!.]*"))


def test_every_source_has_to_be_good_enough_by_itself(tmp_path: Path) -> None:
    large, small = jsonl(tmp_path / "large.jsonl", pairs(50)), jsonl(tmp_path / "small.jsonl", [{"messages": [USER]}])
    with pytest.raises(DataError, match=r"small\.jsonl line 1: no assistant turn; 1 of 1 rows"):
        prepare(tmp_path, large, small)


def test_duplicates_are_not_bad(tmp_path: Path) -> None:
    made = prepare(tmp_path, jsonl(tmp_path / "x.jsonl", pairs(1) * 50), max_bad_share=0)
    assert (made.stats["rows"], made.stats["duplicates"]) == (1, 49)


def test_a_file_none_of_whose_rows_is_left(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [{"messages": [USER]}] * 3)
    with pytest.raises(DataError, match=r"no row of .* is left: 3 of 3 are 'no assistant turn'") as caught:
        prepare(tmp_path, path, max_bad_share=1)
    assert caught.value.hint.startswith("a row needs a response")


# Copies, parts, sizes -----------------------------------------------------------------------------------------------


def test_exact_keeps_the_first_copy_over_all_sources(tmp_path: Path) -> None:
    one, two = jsonl(tmp_path / "one.jsonl", pairs(3)), jsonl(tmp_path / "two.jsonl", pairs(3, start=1))
    made = prepare(tmp_path, one, two)
    assert [r["source"] for r in records(made)] == ["one", "one", "one", "two"]
    assert [d["reason"] for d in made.rows("dropped")] == [f"duplicate: of {one} line {n}" for n in (2, 3)]


def test_rows_that_differ_in_spaces_and_spelling_are_copies(tmp_path: Path) -> None:
    rows = [{"prompt": p, "completion": "ok"} for p in ("caf\u00e9", "cafe\u0301", " caf\u00e9\r\n", "\ufeffcaf\u00e9")]
    assert prepare(tmp_path, jsonl(tmp_path / "x.jsonl", rows)).stats["duplicates"] == 3


def test_none_keeps_every_copy_under_an_id_of_its_own(tmp_path: Path) -> None:
    made = prepare(tmp_path, jsonl(tmp_path / "x.jsonl", pairs(2) + pairs(2) + pairs(1)), dedup="none")
    a, b, *copies = [r["id"] for r in records(made)]
    assert copies == [f"{a}.2", f"{b}.2", f"{a}.3"]
    assert {content_id(c) for c in copies} == {a, b}
    assert made.stats["dropped"] == 0


def test_the_parts_of_a_split_are_all_the_rows_and_share_none(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", pairs(200))
    parts = {
        part: prompts(prepare(tmp_path / part, path, split={"part": part, "test_share": 0.25, "seed": 1}))
        for part in ("train", "test")
    }
    assert 25 < len(parts["test"]) < 75
    assert Counter(parts["train"] + parts["test"]) == Counter(row["prompt"] for row in pairs(200))
    other = prepare(tmp_path / "other", path, split={"part": "test", "test_share": 0.25, "seed": 2})
    assert prompts(other) != parts["test"]
    assert other.stats["by_reason"] == {"other part": 200 - other.stats["rows"]}


def test_the_other_part_of_a_split_is_no_loss(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [*pairs(100), *pairs(3), "broken"])
    made = prepare(tmp_path, path, split={"part": "test", "test_share": 0.25})
    stats = made.stats
    assert stats["other_part"] > 50
    assert stats["dropped"] == 4
    assert stats["rows"] + stats["other_part"] + stats["dropped"] == stats["read"] == 104
    assert len(list(made.rows("dropped"))) == stats["other_part"] + stats["dropped"], "every row is accounted for"
    card = (made.path / "card.md").read_text(encoding="utf-8")
    assert f"{stats['other_part']} rows are in the other part." in card
    assert f"| {path.name} | 104 | {stats['rows']} | 4 |" in card


def test_a_file_all_of_whose_rows_are_in_the_other_part(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", pairs(2))
    with pytest.raises(DataError, match=r"no row of .* is left: 2 of 2 are 'other part'"):
        prepare(tmp_path, path, split={"part": "test", "test_share": 1e-9})


def test_rows_that_other_tables_hold_are_left_out_and_are_not_bad(tmp_path: Path) -> None:
    test = prepare(tmp_path / "test", jsonl(tmp_path / "test.jsonl", pairs(4)))
    trusted = prepare(tmp_path / "trusted", jsonl(tmp_path / "trusted.jsonl", pairs(3, start=4)))
    same_prompt = {**pairs(1)[0], "completion": "Another response."}
    path = jsonl(tmp_path / "x.jsonl", [*pairs(9), same_prompt])
    config = build(Prepare.Config, {"sources": str(path), "max_bad_share": 0})
    held = {"exclude": {"test": [test], "trusted": [trusted]}}
    made = sealed(tmp_path / "store", "messages", lambda out: Prepare().fill(out, config, held))
    assert prompts(made) == [row["prompt"] for row in [*pairs(2, start=7), same_prompt]]
    assert made.stats["by_reason"] == {"in the test rows": 4, "in the trusted rows": 3}
    assert made.stats["dropped"] == len(list(made.rows("dropped"))) == 7


def test_copies_of_rows_that_other_tables_hold_are_left_out_too(tmp_path: Path) -> None:
    test = prepare(tmp_path / "test", jsonl(tmp_path / "test.jsonl", pairs(1)))
    config = build(Prepare.Config, {"sources": str(jsonl(tmp_path / "x.jsonl", pairs(2) * 2)), "dedup": "none"})
    made = sealed(
        tmp_path / "store", "messages", lambda out: Prepare().fill(out, config, {"exclude": {"test": [test]}})
    )
    assert set(prompts(made)) == {pairs(2)[1]["prompt"]}


def test_max_rows_stops_reading(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "x.jsonl", [*pairs(5), *["broken"] * 100])
    made = prepare(tmp_path, path, max_rows=5)
    assert (made.stats["rows"], made.stats["read"]) == (5, 5)


def test_many_rows_stream_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, written, ahead = 0, 0, []
    candidates, write = Parcel.candidates, pq.ParquetWriter.write_table

    def counted(self: Parcel) -> Any:
        nonlocal read
        for candidate in candidates(self):
            read += 1
            yield candidate

    def watched(self: Any, table: Any) -> None:
        nonlocal written
        ahead.append(read - written)
        written += len(table)
        write(self, table)

    monkeypatch.setattr(Parcel, "candidates", counted)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", watched)
    monkeypatch.setattr("sluicegate.data.readers.chunk.CHUNK_BYTES", 1 << 14)
    made = prepare(tmp_path, jsonl(tmp_path / "x.jsonl", pairs(2 * CHUNK_ROWS + 7)), workers=1)
    assert made.stats["rows"] == read == written == 2 * CHUNK_ROWS + 7
    assert max(ahead) < CHUNK_ROWS + 512, "a row group and a chunk are in memory, never the file"


# The world ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ["clean", "pool", "corpus"])
def test_a_world_is_a_source(make: str, tmp_path: Path) -> None:
    made = prepare(tmp_path, {"world": {"make": make, "rows": 60, "seed": 3}}, dedup="none")
    found = records(made)
    assert (len(found), made.stats["dropped"]) == (60, 0)
    faults = Counter(json.loads(r["meta"]).get("fault") for r in found)
    assert (set(faults) == {"clean"}) == (make == "clean")
    if make == "pool":
        assert 60 - faults["clean"] == 36
    assert all((len(r["messages"]) == 1) == (make == "corpus") for r in found)


def test_another_draw_of_the_same_world_gives_other_rows(tmp_path: Path) -> None:
    draws = [{"world": {"rows": 40, "draw": n}} for n in (0, 0, 1)]
    one, same, other = (prompts(prepare(tmp_path / str(n), source)) for n, source in enumerate(draws))
    assert one == same != other


# The contract -------------------------------------------------------------------------------------------------------


def test_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "pool.jsonl", [*pairs(30), {"messages": [USER]}, *pairs(3)])
    sources = [str(path), {"world": {"make": "pool", "rows": 30}}]
    made = check_stage(Prepare, {"sources": sources, "dedup": "exact", "split": {}}, {}, tmp_path)
    names = {entry["path"] for entry in made.manifest["files"]}
    assert names == {
        "messages.parquet",
        "messages.head.jsonl",
        "dropped.parquet",
        "dropped.head.jsonl",
        "card.md",
        "lengths.svg",
    }


def test_a_file_is_pinned_by_its_bytes(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "pool.jsonl", pairs(1))
    config = build(Prepare.Config, {"sources": [str(path), {"world": {}}]})
    before = Prepare().pins(config)
    assert list(before) == [str(path)]
    jsonl(path, pairs(2))
    assert Prepare().pins(config) != before


def test_a_file_that_is_missing_is_told_before_anything_runs(tmp_path: Path) -> None:
    jsonl(tmp_path / "pool.jsonl", pairs(1))
    config = build(Prepare.Config, {"sources": [str(tmp_path / "pol.jsonl")]})
    with pytest.raises(DataError, match=r"no file .*pol\.jsonl") as caught:
        Prepare().pins(config)
    assert caught.value.hint == "did you mean 'pool.jsonl'?"


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ({}, "sources: nothing to read: name files, sets of the hub or presets"),
        ({"sources": [], "presets": []}, "sources: nothing to read"),
        ({"presets": ["gsm8k", "mth"]}, "presets: no preset named 'mth'"),
        ({"sources": [{}]}, "sources.0: a source needs one of `path`, `hub`, `preset` or `world`"),
        (
            {"sources": [{"path": "a", "world": {}}]},
            "sources.0: a source needs one of `path`, `hub`, `preset` or `world`",
        ),
        ({"sources": [{"pth": "a"}]}, "sources.0.pth: no such key, did you mean 'path'?"),
        ({"sources": [{"path": "a", "shape": "alpca"}]}, "no shape named 'alpca'"),
        ({"sources": [{"world": {"rows": 0}}]}, "sources.0.world.rows: input should be greater than 0 (got 0)"),
        ({"sources": ["a"], "dedup": "nearly"}, "dedup: input should be 'exact', 'near' or 'none' (got 'nearly')"),
        ({"sources": ["a"], "mix": {"weights": {"a": 0}}}, "mix.weights: are all 0: no group gets a row"),
        ({"sources": ["a"], "split": {"prt": "test"}}, "split.prt: no such key, did you mean 'part'?"),
    ],
)
def test_options_that_are_none(tree: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Prepare.Config, tree)
    assert told in caught.value.message


@pytest.mark.parametrize("alone", ["a.jsonl", {"path": "a.jsonl"}, {"world": {"rows": 5}}])
def test_a_source_alone_needs_no_list(alone: Any) -> None:
    one, listed = (build(Prepare.Config, {"sources": sources}) for sources in (alone, [alone]))
    assert result_fields(one) == result_fields(listed)


def test_presets_are_read_after_the_sources() -> None:
    short = build(Prepare.Config, {"sources": "a.jsonl", "presets": ["gsm8k", "math"]})
    long = build(Prepare.Config, {"sources": ["a.jsonl", {"preset": "gsm8k"}, {"preset": "math"}]})
    assert [source.title for source in short.sources] == ["a", "gsm8k", "math"]
    assert result_fields(short) == result_fields(long)
    assert build(Prepare.Config, {"presets": "gsm8k"}).sources == long.sources[1:2]


# Estimates ----------------------------------------------------------------------------------------------------------


def estimate(*sources: Any, **options: Any) -> dict[str, int]:
    return Prepare().estimate(build(Prepare.Config, {"sources": list(sources), **options}), {})


def test_an_estimate_counts_rows_and_guesses_tokens_by_language(tmp_path: Path) -> None:
    english = [{"prompt": "abcd efg", "completion": "The answer to this is eight."}] * 300  # 36 characters
    chinese = [{"prompt": "一共多少个？", "completion": "一共有八个苹果。嗯"}] * 10  # 15 characters
    one, two = jsonl(tmp_path / "en.jsonl", english), jsonl(tmp_path / "zh.jsonl", chinese)
    assert estimate(str(one)) == {"rows": 300, "tokens": 300 * 10}
    assert estimate(str(one), str(two)) == {"rows": 310, "tokens": 300 * 10 + 10 * 8}
    assert estimate(str(one), max_rows=100) == {"rows": 100, "tokens": 1000}
    assert estimate(str(one), max_rows=1000)["rows"] == 300
    assert estimate(str(one), split={"part": "test", "test_share": 0.2})["rows"] == 60
    assert estimate(str(one), split={"test_share": 0.2})["rows"] == 240


def test_an_estimate_of_a_world_or_of_nothing_but_bad_rows(tmp_path: Path) -> None:
    assert estimate({"world": {"rows": 500}})["rows"] == 500
    assert estimate({"world": {"rows": 500}})["tokens"] > 500
    bad = str(jsonl(tmp_path / "x.jsonl", [*pairs(3), {"messages": [USER]}]))
    assert estimate(bad, max_bad_share=0.5)["rows"] == 4
    with pytest.raises(DataError, match=r"x\.jsonl line 4: no assistant turn; 1 of 4 rows cannot be used"):
        estimate(bad)
    with pytest.raises(DataError, match="has no rows"):
        estimate(str(jsonl(tmp_path / "empty.jsonl", [])))


# Published rows -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
@pytest.mark.parametrize(
    ("name", "read", "by_reason", "answers"),
    [
        ("math/gsm8k_train.jsonl", 7473, {}, 7473),
        ("math/gsm8k_test.jsonl", 1319, {}, 1319),
        ("math/math_train.jsonl", 7500, {}, 7498),  # two solutions end in an empty box
        ("math/math_test.jsonl", 5000, {}, 5000),
        ("math/math500.jsonl", 500, {}, 500),
        ("instruct/cot_ecqa.json", 7112, {}, 0),
        ("instruct/cot_qasc.json", 1084, {}, 0),
        ("instruct/cot_strategyqa.json", 2061, {}, 0),
        ("instruct/oasst_zh_sft.json", 766, {"duplicate": 1}, 0),
        ("instruct/fastchat_dummy_conversation.json", 500, {}, 0),
        ("instruct/sharegpt_zh_1k.jsonl", 1000, {"empty turn": 5, "no assistant turn": 1}, 0),
        ("formats/openhermes_2_5.jsonl", 2, {}, 0),
        ("formats/coig_pc_core.jsonl", 1, {}, 0),
        ("formats/less_processed.jsonl", 1, {}, 0),
    ],
)
def test_published_files_lose_no_row_without_a_reason(
    name: str, read: int, by_reason: dict[str, int], answers: int, tmp_path: Path
) -> None:
    made = prepare(tmp_path, SHARED / name)
    assert (made.stats["read"], made.stats["by_reason"]) == (read, by_reason)
    assert made.stats["rows"] == read - sum(by_reason.values())
    assert sum(r["answer"] is not None for r in records(made)) == answers


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
def test_a_published_set_of_preferences_is_refused_with_its_columns(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="a preference: two answers, where messages are made; 2,312 of 2,312 rows"
    ) as caught:
        prepare(tmp_path, SHARED / "preference" / "hh_rlhf_harmless_base_test.jsonl.gz")
    assert caught.value.hint


def test_the_artifact_reads_back_by_itself(tmp_path: Path) -> None:
    made = prepare(tmp_path, jsonl(tmp_path / "x.jsonl", pairs(4)))
    again = jsonl(tmp_path / "again.jsonl", list(read_rows(made.path / "messages.parquet")))
    assert [r["id"] for r in records(prepare(tmp_path / "again", again))] == [r["id"] for r in records(made)]
    parquet = prepare(tmp_path / "parquet", made.path / "messages.parquet")
    assert [r["id"] for r in records(parquet)] == [r["id"] for r in records(made)]
