"""Config once: what a block accepts, how it says no, what decides a fingerprint, and how recipes are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator

from sluicegate.config import (
    Config,
    build,
    build_inside,
    load_recipe,
    parse_overrides,
    recipe_names,
    result_fields,
    runtime,
)
from sluicegate.errors import ConfigError


class Inner(Config):
    rank: int = Field(8, gt=0)
    """How wide."""
    folder: Path = Path("a/b")
    """Where."""
    workers: int = runtime(2)
    """How many at once."""


class Outer(Config):
    name: str
    """What it is called."""
    kind: Literal["full", "lora"] = "full"
    """Which."""
    share: float = Field(0.5, ge=0, le=1)
    """How much."""
    inner: Inner = Inner()
    """A block."""
    maybe: Inner | None = None
    """A block or nothing."""
    many: list[Inner] = []
    """Blocks."""
    batch: int = runtime(1, gt=0)
    """Speed."""


def problems(tree: dict[str, Any], where: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build(Outer, tree, where)
    assert caught.value.exit_code == 2
    return [line.strip() for line in caught.value.message.split("\n") if line != "config is not valid:"]


# Blocks -------------------------------------------------------------------------------------------------------------


def test_a_tree_becomes_a_frozen_block() -> None:
    made = build(Outer, {"name": "x", "inner": {"rank": 2}, "many": [{"rank": 1}, {}], "share": 1})
    assert (made.inner.rank, made.many[1].rank, made.share, made.maybe) == (2, 8, 1.0, None)
    with pytest.raises(ValidationError, match="frozen"):
        made.name = "y"  # type: ignore[misc]


def test_every_problem_is_told_at_once_with_its_dotted_key() -> None:
    tree = {
        "kind": "qlora",
        "share": 2,
        "inner": {"rnk": 1},
        "many": [{}, {"rank": "x"}],
        "maybe": {"rank": 0},
        "bach": 1,
    }
    assert problems(tree, "steps.tune") == [
        "steps.tune.name: field required",
        "steps.tune.kind: input should be 'full' or 'lora' (got 'qlora')",
        "steps.tune.share: input should be less than or equal to 1 (got 2)",
        "steps.tune.inner.rnk: no such key, did you mean 'rank'?",
        "steps.tune.maybe.rank: input should be greater than 0 (got 0)",
        "steps.tune.many.1.rank: input should be a valid integer, unable to parse string as an integer (got 'x')",
        "steps.tune.bach: no such key, did you mean 'batch'?",
    ]


def test_a_key_like_no_other_gets_the_list_of_keys() -> None:
    assert problems({"name": "x", "inner": {"zzz": 1}}) == ["inner.zzz: no such key, known: rank, folder, workers"]


def test_one_problem_is_one_sentence() -> None:
    assert problems({"name": ["x"]}) == ["name: input should be a valid string (got ['x'])"]


def test_a_huge_value_is_not_repeated_whole() -> None:
    (line,) = problems({"name": list(range(10_000))})
    assert len(line) < 120


def test_keys_that_are_no_text_are_unknown_keys() -> None:
    assert problems({"name": "x", "inner": {1: 2}})[0].startswith("inner.1")


class Rule(Config):
    rows: int
    """Budget."""


class Chooser(Config):
    options: Any = Field(None, validate_default=True)
    """The rule's own keys."""

    @field_validator("options")
    @classmethod
    def _as_the_rule_says(cls, options: Any) -> Any:
        return build_inside(Rule, options or {})


def test_a_block_whose_class_hangs_on_another_key_reports_under_its_own_key() -> None:
    assert build(Chooser, {"options": {"rows": 3}}).options == Rule(rows=3)
    with pytest.raises(ConfigError, match=r"^steps\.pick\.options\.rows: field required\n"):
        build(Chooser, {}, "steps.pick")
    with pytest.raises(ConfigError, match=r"options\.row: no such key, did you mean 'rows'\?"):
        build(Chooser, {"options": {"rows": 1, "row": 2}})


# Fingerprints -------------------------------------------------------------------------------------------------------


def test_runtime_fields_are_left_out_at_any_depth_and_the_rest_is_plain() -> None:
    made = build(Outer, {"name": "x", "many": [{"workers": 9}], "batch": 4, "inner": {"workers": 7}})
    inner = {"rank": 8, "folder": "a/b"}
    assert result_fields(made) == {
        "name": "x", "kind": "full", "share": 0.5, "inner": inner, "maybe": None, "many": [inner],
    }  # fmt: skip


@given(batch=st.integers(1, 9), workers=st.integers(), rank=st.integers(1, 9))
def test_speed_changes_no_result_and_everything_else_does(batch: int, workers: int, rank: int) -> None:
    plain = result_fields(build(Outer, {"name": "x"}))
    fast = build(Outer, {"name": "x", "batch": batch, "inner": {"workers": workers}})
    other = build(Outer, {"name": "x", "inner": {"rank": rank}})
    assert result_fields(fast) == plain
    assert (result_fields(other) == plain) == (rank == 8)


def test_a_field_that_is_short_for_others_is_in_no_fingerprint() -> None:
    class Short(Config):
        twice: int = Field(0, exclude=True)
        number: int = 4

    assert result_fields(build(Short, {"twice": 2})) == {"number": 4}


def test_a_runtime_field_is_checked_like_any_other() -> None:
    assert problems({"name": "x", "batch": 0}) == ["batch: input should be greater than 0 (got 0)"]


# Overrides ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "tree"),
    [
        ("a=1", {"a": 1}),
        ("a=1e-4", {"a": 1e-4}),
        ("a=0.2", {"a": 0.2}),
        ("a=true", {"a": True}),
        ("a=null", {"a": None}),
        ("a=", {"a": ""}),
        ("a.b=[x, y]", {"a": {"b": ["x", "y"]}}),
        ("a={x: 1}", {"a": {"x": 1}}),
        ("a=b=c", {"a": "b=c"}),
        ("a='07'", {"a": "07"}),
        ("a=Sums: which rows?", {"a": "Sums: which rows?"}),
        ("a=[x", {"a": "[x"}),
        ("a=2026-01-02", {"a": "2026-01-02"}),
        ("a=off", {"a": "off"}),
        ("a=[no, yes, 1E3, -.5]", {"a": ["no", "yes", 1000.0, -0.5]}),
        ("a=falsehood", {"a": "falsehood"}),
        ("a=数据/池.jsonl", {"a": "数据/池.jsonl"}),
    ],
)
def test_a_value_is_yaml_and_text_where_it_is_none(item: str, tree: dict[str, Any]) -> None:
    assert parse_overrides([item]) == tree


def test_later_overrides_win_and_blocks_grow_together() -> None:
    assert parse_overrides(["a.b=1", "a.c=2", "a.b=3"]) == {"a": {"b": 3, "c": 2}}


@pytest.mark.parametrize("item", ["a", "=1", "a..b=1", ".a=1", "a.=1", ""])
def test_an_override_needs_a_key_and_a_value(item: str) -> None:
    with pytest.raises(ConfigError, match="is not of the form key=value"):
        parse_overrides([item])


@pytest.mark.parametrize("item", ["a=${", "a=${b}", "a=???"])
def test_an_interpolation_that_leads_nowhere(item: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_overrides([item])
    assert caught.value.hint
    assert "\n" not in caught.value.message


# Recipes ------------------------------------------------------------------------------------------------------------

RECIPE = """
vars: {pool: pool.jsonl, fraction: 0.2, seeds: [0, 1]}
steps:
  pool: {stage: prepare, sources: [{path: "${vars.pool}"}]}
  pick-{arm}:
    for: {arm: [gate, random]}
    stage: select
    scores: pool
    by: "{arm}"
    options: {fraction: "${vars.fraction}"}
  tune-{arm}-{seed}:
    for: {arm: [gate], seed: "${vars.seeds}"}
    stage: sft
    selection: "pick-{arm}"
    seed: "{seed}"
    notes: ["{arm} of {seed}", "{other}"]
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def to(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return to


def test_a_recipe_is_read_with_its_variables_and_its_steps_repeated(write: Any) -> None:
    recipe = load_recipe(write("r.yaml", RECIPE))
    assert recipe["vars"] == {"pool": "pool.jsonl", "fraction": 0.2, "seeds": [0, 1]}
    assert list(recipe["steps"]) == ["pool", "pick-gate", "pick-random", "tune-gate-0", "tune-gate-1"]
    assert recipe["steps"]["pool"] == {"stage": "prepare", "sources": [{"path": "pool.jsonl"}]}
    assert recipe["steps"]["pick-random"] == {
        "stage": "select", "scores": "pool", "by": "random", "options": {"fraction": 0.2},
    }  # fmt: skip
    tuned = recipe["steps"]["tune-gate-1"]
    assert tuned["seed"] == 1, "a value that is one placeholder keeps its type"
    assert tuned["selection"] == "pick-gate"
    assert tuned["notes"] == ["gate of 1", "{other}"]


def test_overrides_reach_steps_and_variables(write: Any) -> None:
    overrides = ["vars.fraction=0.05", "pool.max_rows=7", "steps.pool.dedup=none", "pool.sources.0.path=x.csv"]
    steps = load_recipe(write("r.yaml", RECIPE), [*overrides, "pick-{arm}.dedup=none", "vars.seeds=[5]"])["steps"]
    assert steps["pick-gate"]["options"] == {"fraction": 0.05}
    assert steps["pool"] == {"stage": "prepare", "sources": [{"path": "x.csv"}], "max_rows": 7, "dedup": "none"}
    assert steps["pick-random"]["dedup"] == "none"
    assert "tune-gate-5" in steps


def test_an_override_may_refer_to_a_variable(write: Any) -> None:
    steps = load_recipe(write("r.yaml", RECIPE), ["pool.max_rows=${vars.seeds}"])["steps"]
    assert steps["pool"]["max_rows"] == [0, 1]


def test_an_override_may_name_one_of_the_steps_a_for_makes(write: Any) -> None:
    overrides = ["pick-gate.dedup=none", "steps.tune-gate-1.seed=${vars.fraction}", "pick-{arm}.by=length"]
    steps = load_recipe(write("r.yaml", RECIPE), overrides)["steps"]
    assert [steps[f"pick-{arm}"].get("dedup") for arm in ("gate", "random")] == ["none", None]
    assert [steps[f"tune-gate-{n}"]["seed"] for n in (0, 1)] == [0, 0.2]
    assert {steps[f"pick-{arm}"]["by"] for arm in ("gate", "random")} == {"length"}


@pytest.mark.parametrize(
    ("item", "told", "hint"),
    [
        ("pol.max_rows=7", "names no step", "did you mean 'pool'?"),
        ("vars.fractoin=7", "names no variable", "did you mean 'fraction'?"),
        ("vars.zzz=7", "names no variable", "vars: pool, fraction, seeds"),
        ("steps.qqqq.a=7", "names no step", "steps: pool, pick-{arm}"),
        ("vars=7", "names no variable", "vars: "),
        ("fraction=0.3", "names no step", "did you mean 'vars.fraction=0.3'?"),
        ("tune.learning_rate=1", "names no step", "did you mean 'tune-{arm}-{seed}'?"),
        ("fraction", "not of the form", "key=value"),
        ("pool.sources.3.path=x", "cannot be set", "counted from 0"),
        ("pool.sources.path=x", "cannot be set", "counted from 0"),
    ],
)
def test_an_override_of_what_is_not_there(write: Any, item: str, told: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(write("r.yaml", RECIPE), [item])
    assert item in caught.value.message
    assert told in caught.value.message
    assert hint in caught.value.hint


def test_a_child_replaces_single_keys_of_its_parent(write: Any) -> None:
    write("base/r.yaml", RECIPE)
    child = write(
        "mine.yaml", "extends: base/r.yaml\nvars: {fraction: 0.1}\nsteps: {pool: {dedup: none}, new: {stage: x}}"
    )
    recipe = load_recipe(child, ["vars.pool=p.csv"])
    assert recipe["steps"]["pool"] == {"stage": "prepare", "sources": [{"path": "p.csv"}], "dedup": "none"}
    assert recipe["steps"]["pick-gate"]["options"] == {"fraction": 0.1}
    assert list(recipe["steps"])[-1] == "new"


def test_a_packaged_recipe_can_be_extended(write: Any) -> None:
    recipe = load_recipe(write("mine.yaml", "extends: demo\nsteps: {corpus: {max_rows: 5}}"))
    assert recipe["steps"]["corpus"]["max_rows"] == 5
    assert list(recipe["steps"]) == list(load_recipe("demo")["steps"])


def test_a_ring_of_recipes_is_told(write: Any) -> None:
    write("a/one.yaml", "extends: ../b/two.yaml")
    path = write("b/two.yaml", "extends: ../a/one.yaml")
    with pytest.raises(ConfigError, match="extend each other in a ring"):
        load_recipe(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no steps"),
        ("vars: {a: 1}", "has no steps"),
        ("steps:", "has no steps"),
        ("steps: [a]", "`steps` is not a mapping"),
        ("vars: 3\nsteps: {a: {}}", "`vars` is not a mapping"),
        ("- a", "is not a recipe"),
        ("step: {a: {}}", "is not a recipe"),
        ("steps:\n  a: {stage: x\n", "line 3 is not valid YAML"),
        ("steps: {a: {}}\nsteps: {b: {}}", "line 2 is not valid YAML: key 'steps' stands twice"),
        ("steps: {a: {k: '${'}}", "is not valid YAML"),
        ("steps: {a: {k: '${vars.b}'}}", "Interpolation key 'vars.b' not found"),
        ("vars:\n  pool: ???\nsteps: {a: {k: '${vars.pool}'}}", "no value for vars.pool"),
        ("steps: {a: 3}", "steps.a is not a mapping"),
        ("steps: {a: {for: {seed: 3}}}", "steps.a.for: 'seed' is 3, not a list"),
        ("steps: {a: {for: {seed: [0, 1]}}}", "steps.a is 'a' twice"),
        ("steps: {a: {}, '{x}': {for: {x: [a]}}}", "steps.{x} is 'a' twice"),
        ("extends: nothing", "no recipe 'nothing'"),
        ("extends: 3", "no recipe '3'"),
        ("extends: gone.yaml", "gone.yaml'"),
    ],
)
def test_a_recipe_that_is_none_is_one_sentence(write: Any, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(write("r.yaml", text))
    assert told in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_variable_left_open_says_how_to_set_it(write: Any) -> None:
    path = write("r.yaml", "vars:\n  pool: ???\nsteps: {a: {k: '${vars.pool}'}}")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert caught.value.hint == "set on the command line: vars.pool=..."
    assert load_recipe(path, ["vars.pool=x"])["steps"] == {"a": {"k": "x"}}


def test_all_variables_left_open_are_told_at_once(write: Any) -> None:
    path = write("r.yaml", "vars:\n  pool: ???\n  base: ???\n  more: 1\nsteps: {a: {k: '${vars.pool}'}}")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert caught.value.message.endswith("no value for vars.pool, vars.base")
    assert caught.value.hint == "set on the command line: vars.pool=... vars.base=..."


@pytest.mark.parametrize(("loop", "hint"), [("${vars.seeds}", "write vars.seeds=[0]"), ("0", "write seed=[0]")])
def test_a_for_over_what_is_no_list_names_it(write: Any, loop: str, hint: str) -> None:
    path = write("r.yaml", f"vars: {{seeds: 0}}\nsteps: {{'a-{{seed}}': {{stage: x, for: {{seed: {loop!r}}}}}}}")
    with pytest.raises(ConfigError) as caught:
        load_recipe(path)
    assert "'seed' is " in caught.value.message
    assert ", not a list" in caught.value.message
    assert caught.value.hint == hint


def test_an_empty_path_is_refused_by_its_key() -> None:
    class Block(Config):
        path: Path | None = None

    with pytest.raises(ConfigError, match=r"a\.path: is empty, where a path is needed"):
        build(Block, {"path": ""}, "a")
    assert build(Block, {"path": "x"}).path == Path("x")


def test_an_anchor_shares_keys_and_its_copies_may_replace_them(write: Any) -> None:
    text = "steps:\n  a: &a {stage: x, k: off}\n  b: {<<: *a, stage: z}"
    assert load_recipe(write("r.yaml", text))["steps"] == {
        "a": {"stage": "x", "k": "off"},
        "b": {"stage": "z", "k": "off"},
    }


def test_a_recipe_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_bytes("steps: {a: {k: 数据}}".encode("gb18030"))
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_recipe(str(tmp_path / "r.yaml"))


def test_a_number_may_be_the_name_of_a_step(write: Any) -> None:
    assert list(load_recipe(write("r.yaml", "steps: {1: {k: 1}, '{n}': {for: {n: [2]}}}"))["steps"]) == ["1", "2"]


def test_an_unknown_recipe_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no recipe 'dmeo'") as caught:
        load_recipe("dmeo")
    assert caught.value.hint == "did you mean 'demo'?"
    with pytest.raises(ConfigError) as caught:
        load_recipe("folder/pool.yaml")
    assert "packaged: " in caught.value.hint
    assert "demo" in caught.value.hint


def test_packaged_recipes_are_listed() -> None:
    assert "demo" in recipe_names() == sorted(recipe_names())
