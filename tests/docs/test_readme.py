"""The two READMEs say the same, and what they name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sluicegate.config import load_recipe

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))


def commands(text: str) -> list[str]:
    """The blocks of code without their comments."""
    blocks = re.findall(r"```(?:bash)?\n(.*?)```", text, re.DOTALL)
    return [re.sub(r"\s+#.*", "", block) for block in blocks]


def test_both_show_the_same_code_and_output() -> None:
    assert commands(ENGLISH) == commands(CHINESE)
    assert len(commands(ENGLISH)) == 10


def test_both_have_the_same_sections_links_and_rows() -> None:
    other = {"README.md": "README.zh.md"}
    for pattern in (r"^#+ ", r"^\|", r"^- "):
        assert len(re.findall(pattern, ENGLISH, re.MULTILINE)) == len(re.findall(pattern, CHINESE, re.MULTILINE))
    links = [re.findall(r"\]\((.*?)\)", text) for text in (ENGLISH, CHINESE)]
    assert links[0] == [other.get(link, link) for link in links[1]]


def test_both_quote_the_same_figures() -> None:
    tables = [[line for line in text.splitlines() if line.startswith("|")] for text in (ENGLISH, CHINESE)]
    figures = [[re.findall(r"[+-]?\d*\.?\d+", row) for row in table] for table in tables]
    assert figures[0] == figures[1]


def test_what_is_run_is_there() -> None:
    goals = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", ENGLISH)) <= goals
    scripts = set(re.findall(r"`(\w+)` \|$", ENGLISH, re.MULTILINE))
    beside = {path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py") if "__main__" in path.read_text("utf-8")}
    assert scripts == beside, "every benchmark is quoted, and nothing else"


@pytest.mark.parametrize("recipe", ["select_then_sft", "bake_off", "mix_math"])
def test_recipes_are_given_variables_that_they_have(recipe: str) -> None:
    lines = [line for block in commands(ENGLISH) for line in block.replace("\\\n", "").splitlines() if recipe in line]
    given = [item for line in lines for item in re.findall(r"vars\.\w+=\S+", line)]
    assert given
    assert {item.removeprefix("vars.").partition("=")[0] for item in given} <= set(load_recipe(recipe, given)["vars"])
