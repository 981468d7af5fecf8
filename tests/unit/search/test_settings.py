"""What a recipe may say of a search."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.config import build, parse_overrides
from sluicegate.errors import ConfigError
from sluicegate.search.settings import Search, Span, override, read_search
from sluicegate.testing import check_config

RATE = {"low": 1e-5, "high": 1e-3, "log": True}
SPACE = {"sft.learning_rate": RATE, "sft.lora.rank": [4, 8, 16]}


def search(**keys: Any) -> Search:
    return build(Search, {"metric": "result.accuracy", "space": SPACE, **keys}, "tune")


def test_every_key_is_documented() -> None:
    check_config(Search)


def test_a_list_is_short_for_choices() -> None:
    assert search().space["sft.lora.rank"] == Span(choices=[4, 8, 16])


def test_the_direction_is_known_of_loss_and_accuracy() -> None:
    assert search().better == "maximize"
    assert search(metric="result-*.loss").better == "minimize"
    assert search(metric="pool.rows", direction="minimize").better == "minimize"


def test_nested_keys_are_dotted_ones_and_an_override_changes_one_end() -> None:
    tree = parse_overrides(["sft.learning_rate.low=1e-4", "sft.lora.rank=[1, 2]", "vars.epochs.choices=[1]"])
    found = search(space={**SPACE, **tree}).space
    assert found["sft.learning_rate"] == Span(low=1e-4, high=1e-3, log=True)
    assert found["sft.lora.rank"] == Span(choices=[1, 2])
    assert found["vars.epochs"] == Span(choices=[1])


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"metric": "accuracy"}, "tune.metric"),
        ({"metric": "pool.rows"}, "whether less or more of 'rows' is better"),
        ({"space": {}}, "tune.space"),
        ({"space": {"a.b": {"low": 2, "high": 1}}}, "tune.space.a.b: needs `low` and a larger `high`"),
        ({"space": {"a.b": {"low": 2}}}, "tune.space.a.b: needs `low` and a larger `high`"),
        ({"space": {"a.b": {"low": 0, "high": 1, "log": True}}}, "tune.space.a.b: `log` needs a `low` above 0"),
        ({"space": {"a.b": {"low": 1, "hihg": 2}}}, "tune.space.a.b.hihg: no such key, did you mean 'high'?"),
        ({"space": {"a.b": {"choices": [1], "low": 0}}}, "tune.space.a.b: a list of choices has no ends"),
        ({"space": {"a.b": []}}, "tune.space.a.b"),
        ({"smapler": "tpe"}, "tune.smapler: no such key, did you mean 'sampler'?"),
        ({"trials": 0}, "tune.trials"),
        ({"sampler": "grid"}, "space.sft.learning_rate: has no `step`"),
        ({"rungs": {"key": "sft.max_steps", "values": [4, 2]}}, "must rise"),
        ({"rungs": {"key": "sft.max_steps", "values": [2]}}, "tune.rungs.values"),
        ({"rungs": {"key": "sft.lora.rank", "values": [2, 4]}}, "sft.lora.rank is in the space too"),
        ({"rungs": {"key": "a.b", "values": [2, 5]}, "pruner": "halving"}, "the same whole multiple"),
    ],
)
def test_what_cannot_be_searched_is_refused(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        search(**keys)
    assert told in caught.value.message


def test_a_recipe_without_a_search_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match="says nothing of what to tune"):
        read_search({"vars": {}, "steps": {}})


def test_a_grid_has_every_setting_once_and_no_more_trials() -> None:
    space = {"a.b": {"low": 1, "high": 3}, "a.c": {"low": 0.0, "high": 0.3, "step": 0.1}, "a.d": ["x"]}
    found = search(space=space, sampler="grid", trials=100)
    assert found.n_trials == 12
    assert {setting["a.b"] for setting in found.grid()} == {1, 2, 3}
    assert [setting["a.c"] for setting in found.grid()][:4] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert search(space=space, sampler="grid", trials=5).n_trials == 5


def test_every_choice_and_both_ends_are_looked_at() -> None:
    rungs = {"key": "sft.max_steps", "values": [10, 20]}
    assert list(search(rungs=rungs).extremes()) == [
        ("sft.learning_rate", 1e-5), ("sft.learning_rate", 1e-3), ("sft.lora.rank", 4), ("sft.lora.rank", 8),
        ("sft.lora.rank", 16), ("sft.max_steps", 10), ("sft.max_steps", 20),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [1e-5, 0.00012345678901234567, 8, True, None, "all-linear", "true", "1e-3", "", "a: b", ["q_proj", "v"], {"a": 1}],
)
def test_the_command_line_reads_a_value_back_as_it_was(value: Any) -> None:
    found = parse_overrides([override("a", value)])["a"]
    assert found == value
    assert type(found) is type(value)


def test_words_need_no_quotes() -> None:
    assert override("sft.lora.targets", "all-linear") == "sft.lora.targets=all-linear"
