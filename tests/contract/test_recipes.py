from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sluicegate.bake_off import expand
from sluicegate.config import load_recipe, recipe_names
from sluicegate.planning import Plan, plan
from sluicegate.testing import tiny_model, tiny_pool

BUDGETS = ("fraction", "rows", "tokens", "token_fraction")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a recipe's variable may be set to: a model folder for `base`, a folder of files for `data`, else a file."""
    folder = tmp_path_factory.mktemp("given")
    model, rows = tiny_model(folder / "model"), folder / "rows.jsonl"
    text = "\n".join(json.dumps({"messages": r["messages"]}) for r in tiny_pool())
    for name in ["rows.jsonl", *re.findall(r"\$\{vars\.data\}/([\w.]+)", "".join(map(text_of, recipe_names())))]:
        (folder / name).write_text(text, encoding="utf-8")
    values = {"base": model, "data": folder}
    return lambda name: f"vars.{name}={values.get(name, rows)}"


def text_of(recipe: str) -> str:
    """A packaged recipe as it is written, behind those that it extends."""
    text = files("sluicegate").joinpath("recipes", f"{recipe}.yaml").read_text(encoding="utf-8")
    return "".join(map(text_of, re.findall(r"^extends: (\w+)", text, flags=re.MULTILINE))) + text


def planned(name: str, given: Any, folder: Path, *more: str) -> Plan:
    """The plan of a packaged recipe, every variable it leaves open (`???`) filled in."""
    wanted = re.findall(r"^\s+(\w+): \?\?\?", text_of(name), flags=re.MULTILINE)
    recipe = load_recipe(name, [*map(given, wanted), *more])
    return plan(expand(recipe) if "bench" in recipe else recipe, folder)


@pytest.mark.parametrize("name", recipe_names())
def test_every_packaged_recipe_loads_and_plans(name: str, given: Any, tmp_path: Path) -> None:
    one, two = planned(name, given, tmp_path), planned(name, given, tmp_path)
    ids = [step.artifact_id for step in one.steps.values()]
    assert ids == [step.artifact_id for step in two.steps.values()]
    assert not any(tmp_path.iterdir()), "planning makes nothing"


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_selects_has_a_random_arm_of_the_same_size(name: str, given: Any, tmp_path: Path) -> None:
    steps = planned(name, given, tmp_path).steps.values()
    trained = {s.inputs.get("selection") for s in steps if s.stage.name in ("sft", "trial")}
    picks = [s.config for s in steps if s.artifact_id in trained]
    budgets = [(pick.rule, *(getattr(pick.options, key) for key in BUDGETS)) for pick in picks]
    controls = {budget[1:] for budget in budgets if "random" in budget[0]}
    assert {budget[1:] for budget in budgets} == controls
