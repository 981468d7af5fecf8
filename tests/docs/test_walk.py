"""What docs/walk.md shows is what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sluicegate.config import load_recipe
from sluicegate.data.world import World
from sluicegate.schema import record_id

ROOT = Path(__file__).parents[2]
WALK = (ROOT / "docs" / "walk.md").read_text(encoding="utf-8")
SHOWN = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", WALK, re.DOTALL)]


@pytest.fixture(scope="module")
def pool() -> dict[str, object]:
    """The demo's pool by id."""
    drawn = load_recipe("demo")["steps"]["pool"]["sources"][0]["world"]
    world = World(World.Config(seed=drawn["seed"], lexicon=drawn["lexicon"]))
    return {row["id"]: row for row in world.pool(drawn["rows"], drawn["draw"])}


def test_the_record_is_one_of_the_demos(pool: dict[str, object]) -> None:
    assert pool[SHOWN[0]["id"]] == SHOWN[0]
    assert record_id(SHOWN[0]["messages"]) == SHOWN[0]["id"]


def test_every_row_named_is_in_the_pool(pool: dict[str, object]) -> None:
    tested = {SHOWN[-1]["id"]}
    assert set(re.findall(r"\b[0-9a-f]{16}\b", WALK)) - tested <= set(pool)


def test_every_file_named_is_there() -> None:
    named = set(re.findall(r"`(src/[\w/.]+)`", WALK))
    assert len(named) > 15
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
