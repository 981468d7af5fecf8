from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cached_sets import COMMIT, cache_set
from raw_files import SHARED, write, write_jsonl
from sluicegate.artifacts import file_hash
from sluicegate.config import build
from sluicegate.data.intake import Candidate, Made
from sluicegate.data.readers import files, read
from sluicegate.data.sources import Source
from sluicegate.errors import ConfigError, DataError


def candidates(source: Source, make: Made = "messages") -> list[Candidate]:
    """All of a source's, its parcels sent to another process and back."""
    parcels = pickle.loads(pickle.dumps(list(source.parcels(make, 100_000))))
    return [candidate for parcel in parcels for candidate in parcel.candidates()]


def pairs(n: int, word: str = "is") -> list[dict[str, str]]:
    return [{"prompt": f"What {word} {k}?", "completion": f"It {word} {k}."} for k in range(n)]


def test_a_bare_path_is_short_for_a_source(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", pairs(2))
    assert Source.model_validate(str(path)) == build(Source, {"path": str(path)})


def test_rows_of_a_folder_come_in_the_order_of_its_files_under_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    folder.mkdir()
    for n in (2, 1):
        write_jsonl(folder / f"part-{n}.jsonl", pairs(n, f"was{n}"))
    source = build(Source, {"path": str(folder)})
    found = candidates(source)
    assert [c.place for c in found] == [f"{folder}/part-{n}.jsonl line {k}" for n, k in ((1, 1), (2, 1), (2, 2))]
    assert {c.source for c in found} == {"pool"}
    assert source.pins() == {str(p): file_hash(p) for p in files(folder)}
    assert source.count() == 3
    assert len(candidates(build(Source, {"path": str(folder / "*2.jsonl")}))) == 2


def test_parcels_hold_some_hundred_rows_and_open_in_any_order(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.json", pairs(1000))
    parcels = list(build(Source, {"path": str(path)}).parcels("messages", 100))
    assert len(parcels) == 1  # lines under a .json ending, cut by their bytes
    table = write(tmp_path / "x.csv", "prompt,completion\n" + "".join(f"q{n},a{n}\n" for n in range(600)))
    parcels = list(build(Source, {"path": str(table)}).parcels("messages", 100))
    assert [parcel.chunk.n_rows for parcel in parcels] == [256, 256, 88]
    assert next(iter(parcels[2].candidates())).row.line == 514


def test_a_candidate_takes_only_the_head_of_its_row_along(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [{"prompt": "q", "completion": "x" * 5000}])
    (found,) = candidates(build(Source, {"path": str(path)}))
    assert found.row.value is None
    assert len(found.row.text) == 200
    assert next(found.all_dropped("too good"))["text"] == found.row.text


FLAT = [
    {"message_id": "q", "parent_id": None, "role": "prompter", "text": "Why?"},
    {"message_id": "a", "parent_id": "q", "role": "assistant", "text": "Because."},
    {"message_id": "b", "parent_id": "q", "role": "assistant", "text": "Therefore."},
    {"message_id": "c", "parent_id": "q", "role": "assistant", "text": "No idea.", "deleted": True},
]


def trees(*names: str) -> list[dict[str, Any]]:
    """The rows of some trees, row by row in turns."""
    ids = {name: {row["message_id"]: f"{name}{row['message_id']}" for row in FLAT} for name in names}
    return [
        {**row, "message_tree_id": name, "message_id": ids[name][row["message_id"]], "parent_id": ids[name].get(parent)}
        for row in FLAT
        for name in names
        for parent in [row["parent_id"]]
    ]


def test_flat_rows_of_a_tree_are_read_together_wherever_they_stand(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [*trees("s", "t"), {"text": "no message of a tree"}])
    found = candidates(build(Source, {"path": str(path)}))
    told = [[m["content"] for m in c.record["messages"]] if c.record else c.reason for c in found]  # type: ignore[typeddict-item]
    assert told[:4] == [
        ["Why?", "Because."],
        ["Why?", "Therefore."],
        "deleted: the message, or one above it, was taken back",
        ["Why?", "Because."],
    ]
    assert [(c.row.line, [row.line for row in c.earlier], c.again) for c in found[:3]] == [
        (3, [1], False),
        (5, [], False),
        (7, [], False),
    ]
    assert [d["line"] for d in found[0].all_dropped("duplicate")] == [1, 3]
    assert sum(c.n_rows for c in found) == 9
    assert sum(c.record is not None for c in found) == 5


def test_a_row_of_a_tree_that_is_no_message_does_not_take_the_others_along(tmp_path: Path) -> None:
    odd = [{"message_tree_id": "s", "note": "first"}, {"message_tree_id": "s", "prompt": "q", "completion": "a"}]
    path = write_jsonl(tmp_path / "x.jsonl", [*trees("s")[:2], *odd, *trees("s")[2:]])
    found = candidates(build(Source, {"path": str(path)}))
    assert sorted(row.line for c in found for row in (*c.earlier, c.row)) == [1, 2, 3, 4, 5, 6]
    assert {c.row.line: c.reason.partition(":")[0] for c in found} == {
        2: "",
        3: "no known shape",
        4: "",
        5: "",
        6: "deleted",
    }


def test_options_of_a_shape_reach_it(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [{"question": "q", "answer": "1+1=<<1+1=2>>2\n#### 2"}])
    (found,) = candidates(build(Source, {"path": str(path), "shape": "gsm8k", "options": {"marks": "drop"}}))
    assert found.record is not None
    assert found.record["messages"][1]["content"] == "1+1=2\n#### 2"  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "a source needs one of `path`, `hub`, `preset` or `world`"),
        ({"path": "x.jsonl", "hub": "a/b"}, "a source needs one of"),
        ({"path": "x.jsonl", "shape": "alpca"}, "did you mean 'alpaca'?"),
        ({"path": "x.jsonl", "options": {"marks": "drop"}}, "options: are those of a shape: name it with `shape`"),
        (
            {"path": "x.jsonl", "shape": "gsm8k", "options": {"mark": 1}},
            "options.mark: no such key, did you mean 'marks'?",
        ),
        ({"path": "x.jsonl", "shape": "gsm8k", "options": {"marks": "hide"}}, "options.marks: input should be 'keep'"),
        ({"path": "x.jsonl", "pairs_as": "rejected"}, "pairs_as"),
        ({"path": "x.jsonl", "split": "test"}, "`split` is of a set of the hub, and this source is none"),
        ({"preset": "gsm8k", "path": "x.jsonl", "config": "main"}, "`config` is of a set of the hub"),
    ],
)
def test_a_source_that_makes_no_sense_says_why(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(Source, keys)
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_told_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        build(Source, {"path": str(tmp_path / "x.jsonl")}).pins()


def test_a_set_of_the_hub_is_a_source_like_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets.config

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    cache_set(tmp_path, [{"question": f"q{n}", "answer": f"a\n#### {n}"} for n in range(3)])
    source = build(Source, {"hub": "nobody/sums"})
    found = candidates(source)
    assert [c.record["answer"] for c in found if c.record] == ["0", "1", "2"]  # type: ignore[typeddict-item]
    assert (found[2].place, found[2].source) == ("nobody/sums (train) line 3", "sums")
    assert source.pins() == {"nobody/sums (train)": COMMIT}
    assert source.count() == 3


def test_a_draw_from_the_world_is_a_source_too() -> None:
    source = build(Source, {"world": {"rows": 300, "make": "pool"}})
    found = candidates(source)
    assert len(found) == source.count() == sum(c.n_rows for c in found) == 300
    assert all(c.record and c.origin == "world" for c in found)
    assert source.pins() == {}


# Real files ---------------------------------------------------------------------------------------------------------

MADE = {
    "instruct/cot_ecqa.json": 7112,
    "instruct/fastchat_dummy_conversation.json": 500,
    "instruct/oasst_en_100_trees.jsonl": 546,
    "instruct/oasst_zh_sft.json": 766,
    "instruct/self_instruct_seed_tasks.jsonl": 175,
    "math/cmath_test.jsonl": 1098,
    "math/gsm8k_test.jsonl": 1319,
    "math/mgsm_zh.jsonl": 250,
    "preference/dpo_en_300.json": 300,
    "preference/dpo_zh_300.json": 300,
    "preference/hh_rlhf_harmless_base_test.jsonl.gz": 2309,
    "preference/oasst_zh_pairs.json": 772,
    "formats/oasst1_flat.jsonl": 2,
}
"""How many records or pairs come of a file; what cleaning leaves out may change, these do not."""
REAL = sorted(p.relative_to(SHARED).as_posix() for p in SHARED.rglob("*.*") if p.suffix in (".json", ".jsonl", ".gz"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
@pytest.mark.parametrize("name", REAL)
def test_every_row_of_every_real_file_is_accounted_for(name: str) -> None:
    make: Made = "pairs" if name.startswith("preference") else "messages"
    source = build(Source, {"path": str(SHARED / name), "pairs_as": "chosen"})
    found = candidates(source, make)
    lines = Counter(row.line for c in found for row in (*c.earlier, *([] if c.again else [c.row])))
    assert lines == Counter(row.line for row in read(SHARED / name))
    assert all((c.record is None) == bool(c.reason) for c in found)
    if name in MADE:
        assert sum(c.record is not None for c in found) == MADE[name]
    if name.startswith("formats"):
        assert any(c.record for c in found)
