from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.config import build
from sluicegate.data.world import FAULTS, World, answer_of
from sluicegate.errors import ConfigError, UnknownName
from sluicegate.schema import Record, record_id

WORLDS = [{}, {"lexicon": "two"}, {"lexicon": "three"}, {"languages": ["zh"]}, {"languages": ["en", "zh"], "seed": 5}]


@pytest.fixture(params=WORLDS, ids=str)
def world(request: pytest.FixtureRequest) -> World:
    return World(World.Config(**request.param))


def meta(record: Record, key: str) -> str:
    return json.loads(record["meta"])[key]


def prompt(record: Record) -> str:
    return record["messages"][0]["content"]


def response(record: Record) -> str:
    return record["messages"][-1]["content"]


def by_fault(rows: list[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        groups[meta(row, "fault")].append(row)
    return groups


def test_equal_seeds_give_equal_rows(world: World) -> None:
    again = World(world.config)
    assert world.clean(50, seed=1) == again.clean(50, seed=1)
    assert world.pool(50, seed=1) == again.pool(50, seed=1)
    assert world.corpus(50, seed=1) == again.corpus(50, seed=1)


def test_rows_do_not_depend_on_string_hashing() -> None:
    code = "from sluicegate.data.world import World; print([r['id'] for r in World(World.Config()).pool(40, 0)])"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_other_seeds_and_uses_give_other_rows(world: World) -> None:
    draws = [world.clean(60, seed=1), world.clean(60, seed=2), world.pool(60, seed=1, bad_share=0)]
    assert all(a != b for a, b in pairwise(draws))


def test_another_world_knows_other_countries() -> None:
    settings = [
        World(World.Config(lexicon=lexicon, seed=seed)).settings[0]
        for lexicon in ("one", "two", "three")
        for seed in (0, 1)
    ]
    assert all(not set(a.countries) & set(b.countries) for a, b in pairwise(settings))


def test_a_shorter_clean_draw_is_the_head_of_a_longer_one(world: World) -> None:
    assert world.clean(10, seed=1) == world.clean(30, seed=1)[:10]


def test_rows_are_whole_records(world: World) -> None:
    for row in [*world.clean(100, seed=1), *world.pool(300, seed=1)]:
        assert [m["role"] for m in row["messages"]] == ["user", "assistant"]
        assert row["id"] == record_id(row["messages"])
        assert row["source"] == f"world/{meta(row, 'family')}"
        assert row["source"] in ("world/math", "world/list", "world/kb")


def test_clean_rows_end_in_the_answer(world: World) -> None:
    for row in world.clean(300, seed=1):
        assert meta(row, "fault") == "clean"
        assert row["answer"] == answer_of(response(row)) is not None


def test_every_fault_has_its_share(world: World) -> None:
    counts = Counter(meta(row, "fault") for row in world.pool(500, seed=1))
    assert counts == {"clean": 200, **dict.fromkeys(FAULTS, 30)}


@given(
    st.integers(2, 60), st.floats(0, 0.9), st.lists(st.sampled_from(FAULTS), unique=True, min_size=1), st.integers(0, 9)
)
def test_any_pool_has_the_rates_it_was_asked_for(rows: int, bad_share: float, faults: list[str], seed: int) -> None:
    bad = min(round(rows * bad_share), rows - 1)
    counts = Counter(meta(r, "fault") for r in World(World.Config()).pool(rows, seed, bad / rows, faults))
    assert counts["clean"] == rows - bad
    assert set(counts) <= {"clean", *faults}
    assert max(counts[f] for f in faults) - min(counts[f] for f in faults) <= 1


def test_duplicates_copy_a_clean_row_before_them(world: World) -> None:
    rows = world.pool(500, seed=1)
    seen: set[str] = set()
    for row in rows:
        if meta(row, "fault") == "dup":
            assert row["id"] in seen
        if meta(row, "fault") == "clean":
            seen.add(row["id"])


def test_nothing_but_meta_tells_the_fault(world: World) -> None:
    for row in world.pool(500, seed=1):
        assert row["answer"] == answer_of(response(row))
        assert json.loads(row["meta"]).keys() == {"family", "fault"}
        assert row.keys() == world.clean(1, seed=1)[0].keys()


def test_faults_hit_every_family_and_stand_anywhere(world: World) -> None:
    rows = world.pool(6000, seed=1)
    places = {row["id"]: i / len(rows) for i, row in enumerate(rows)}
    for fault, group in by_fault(rows).items():
        families = Counter(row["source"] for row in group)
        assert families["world/math"] / len(group) == pytest.approx(0.5, abs=0.09)
        if fault not in ("clean", "dup"):  # the second stands behind the first
            assert sum(places[row["id"]] for row in group) / len(group) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("fault", ["wrong_final", "wrong_step", "wrong_op"])
def test_damaged_rows_have_the_layouts_of_clean_ones(fault: str) -> None:
    def layouts(rows: list[Record]) -> dict[str, float]:
        math = [response(row) for row in rows if row["source"] == "world/math"]
        return {head: sum(text.startswith(head) for text in math) / len(math) for head in ("Let us", "First,")}

    groups = by_fault(World(World.Config()).pool(6000, seed=1))
    assert layouts(groups[fault]) == pytest.approx(layouts(groups["clean"]), abs=0.12)


def test_languages_share_the_rows() -> None:
    rows = World(World.Config(languages=["en", "zh"])).pool(1000, seed=1)
    assert Counter(row["lang"] for row in rows)["zh"] / 1000 == pytest.approx(0.5, abs=0.06)
    for row in rows:
        assert any("\u4e00" <= c <= "\u9fff" for c in prompt(row)) == (row["lang"] == "zh")


@pytest.mark.parametrize("lexicon", ["one", "two", "three"])
def test_test_questions_are_new_except_for_the_few_on_knowledge(lexicon: str) -> None:
    world = World(World.Config(lexicon=lexicon))
    seen = set(map(prompt, world.pool(2000, seed=1)))
    for source in ("world/math", "world/list"):
        asked = [prompt(row) for row in world.clean(1200, seed=2) if row["source"] == source]
        assert sum(p in seen for p in asked) / len(asked) < 0.03


def test_documents_have_no_prompt(world: World) -> None:
    for row in world.corpus(200, seed=1):
        assert [m["role"] for m in row["messages"]] == ["assistant"]
        assert row["source"] == "world/corpus"
        assert row["answer"] is None


def test_an_unknown_fault_is_named_with_its_neighbour() -> None:
    with pytest.raises(UnknownName, match="no fault 'truncate'") as caught:
        World(World.Config()).pool(10, 0, faults=["truncate"])
    assert "truncated" in caught.value.hint


@pytest.mark.parametrize("bad_share", [-0.1, 1.5, float("nan")])
def test_a_share_is_between_zero_and_one(bad_share: float) -> None:
    with pytest.raises(ConfigError, match="bad_share"):
        World(World.Config()).pool(10, 0, bad_share)


def test_duplicates_need_clean_rows() -> None:
    world = World(World.Config())
    with pytest.raises(ConfigError, match="clean rows"):
        world.pool(10, 0, bad_share=1)
    assert len(world.pool(10, 0, bad_share=1, faults=["short"])) == 10


def test_an_empty_pool_is_empty() -> None:
    assert World(World.Config()).pool(0, 0) == []


@pytest.mark.parametrize("tree", [{"languages": []}, {"languages": ["fr"]}, {"lexicon": "four"}])
def test_config_allows_only_worlds_there_are(tree: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(tree))):
        build(World.Config, tree)
