from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluicegate.bake_off import expand
from sluicegate.config import load_recipe
from sluicegate.errors import ConfigError

STEPS = {
    "pool": {"stage": "prepare", "sources": ["pool.jsonl"], "exclude": {"trusted": ["trusted"]}},
    "trusted": {"stage": "prepare", "sources": ["trusted.jsonl"]},
    "test": {"stage": "prepare", "sources": ["test.jsonl"]},
    "warmup": {"stage": "warmup", "model": "base", "trusted": "trusted"},
    "untaught": {"stage": "warmup", "model": "base", "kind": "linear", "data": "pool"},
}
BENCH = {"data": "pool", "model": "base", "trusted": "trusted", "test": "test", "gate": "warmup"}


def steps(**bench: Any) -> dict[str, Any]:
    return expand({"vars": {}, "steps": STEPS, "bench": BENCH | {"seeds": [0]} | bench})["steps"]


def test_every_signal_meets_every_rule_budget_and_seed() -> None:
    found = steps(
        signals=["gate", "perplexity"], budgets=[{"fraction": 0.2}, {"rows": 5}], seeds=[0, 1], shares=[0.1, 0.2]
    )
    assert sum(name.startswith("pick-gate-") for name in found) == 2 * 3, "two rules, two budgets and another share"
    trials = {name for name in found if name.startswith("trial-perplexity-")}
    assert trials == {
        f"trial-perplexity-{rule}-{budget}-{seed}"
        for rule in ("plain", "clusters")
        for budget in ("fraction-0.2", "rows-5")
        for seed in (0, 1)
    }
    assert list(found)[-1] == "verdict"
    assert len(found["verdict"]["arms"]["gate-plain-rows-5"]) == 2


def test_an_arm_has_trusted_rows_exactly_where_its_signal_used_them() -> None:
    signals = {"gate": {}, "perplexity": {}, "rds": {}, "linear": {"signal": "gate", "step": {"gate": "untaught"}}}
    found = steps(signals=signals)
    given = {name: found[f"trial-{name}-plain-fraction-0.2-0"].get("trusted") for name in signals}
    assert given == {"gate": "trusted", "perplexity": None, "rds": "trusted", "linear": None}
    controls = ["trial-random-fraction-0.2-0", "trial-random-fraction-0.2-trusted-0"]
    assert [found[name].get("trusted") for name in controls] == [None, "trusted"], "each kind of arm has its like"
    assert found["trial-trusted-0"]["data"] == "trusted"


def test_a_signal_is_given_what_it_needs_and_no_more() -> None:
    found = steps(signals=["gate", "perplexity", "rds", "reference"])
    wires = {name: set(found[f"score-{name}"]) & {"gate", "trusted"} for name in ("gate", "perplexity", "rds")}
    assert wires == {"gate": {"gate"}, "perplexity": set(), "rds": {"trusted"}}
    assert found["score-reference"]["gate"] == "warmup", "it reads the copy that the gate reads"


def test_a_signal_that_reads_nothing_has_the_prompts_read_for_a_rule_that_looks_at_them() -> None:
    found = steps(signals=["length"])
    assert found["pick-length-plain-fraction-0.2"]["scores"] == "score-length"
    assert found["pick-length-clusters-fraction-0.2"]["scores"] == "score-length-states"
    assert found["score-length-states"]["signals"] == ["length", "perplexity"]


def test_less_is_scored_once_by_its_own_stage_with_the_prompts_beside() -> None:
    found = steps(signals={"less": {"step": {"stage": "influence"}}})
    score = {"stage": "influence", "data": "pool", "model": "base", "trusted": "trusted", "beside": "score-less-beside"}
    assert found["score-less"] == score
    picks = [found[f"pick-less-{rule}-fraction-0.2"]["scores"] for rule in ("plain", "clusters")]
    assert picks == ["score-less", "score-less"]
    assert "score-less-states" not in found


def test_a_contestant_may_rank_by_several_signals_with_a_rule_of_its_own() -> None:
    blend = {"rule": "blend", "options": {"signals": {"gate": 1, "arithmetic": 2}}}
    found = steps(signals={"both": {"step": {"signals": ["gate", "arithmetic"]}, "rules": {"blend": blend}}})
    pick = found["pick-both-blend-fraction-0.2"]
    assert "by" not in pick
    assert pick["options"] == {"signals": {"gate": 1, "arithmetic": 2}, "fraction": 0.2}
    assert found["verdict"]["columns"] == {}


def test_random_arms_draw_other_rows_under_every_seed() -> None:
    found = steps(signals=["length"], seeds=[0, 7])
    options = [found[f"pick-random-fraction-0.2-{seed}"]["options"] for seed in (0, 7)]
    assert options == [{"fraction": 0.2, "seed": 0}, {"fraction": 0.2, "seed": 7}]
    assert found["trial-length-plain-fraction-0.2-7"]["tune"]["seed"] == 7


def test_without_a_test_nothing_is_trained() -> None:
    assert not [name for name in steps(signals=["gate"], test=None) if name.startswith("trial-")]


def test_arms_can_be_left_untrained() -> None:
    found = steps(signals=["gate", "length"], arms=["gate-*"])
    assert [name for name in found if name.startswith("trial-length")] == []
    assert "pick-length-plain-fraction-0.2" in found


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(ConfigError, match="has no bake-off"):
        expand({"vars": {}, "steps": STEPS})
    with pytest.raises(ConfigError, match=r"bench\.signal: no such key, did you mean 'signals'"):
        steps(signal=["gate"])
    with pytest.raises(ConfigError, match=r"bench\.rules\.plain\.options\.k: no such key"):
        steps(signals=["gate"], rules={"plain": {"rule": "top_k", "options": {"k": 3}}})
    with pytest.raises(ConfigError, match=r"^bench\.tune\.max_step: no such key, did you mean 'max_steps'"):
        steps(signals=["gate"], tune={"max_step": 2})
    with pytest.raises(ConfigError, match=r"steps\.verdict is a name"):
        expand({"vars": {}, "steps": STEPS | {"verdict": {}}, "bench": BENCH | {"signals": ["gate"]}})
    with pytest.raises(ConfigError, match="no signal named 'gat'"):
        steps(signals=["gat"])


def test_an_override_reaches_the_bake_off(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("vars: {n: 3}\nsteps: {a: {stage: prepare}}\nbench: {data: a, model: b, seeds: ['${vars.n}']}\n")
    found = load_recipe(str(path), ["bench.signals=[gate]", "vars.n=4"])
    assert found["bench"] == {"data": "a", "model": "b", "seeds": [4], "signals": ["gate"]}


def test_leading_arms_and_their_controls_are_trained_under_more_seeds() -> None:
    found = steps(signals=["gate", "length"], leading=["gate-clusters"], more_seeds=[1])
    later = {name for name in found if name.startswith("trial-") and name.endswith("-1")}
    assert later == {
        "trial-gate-clusters-fraction-0.2-1",
        "trial-random-fraction-0.2-trusted-1",
        "trial-all-1",
        "trial-trusted-1",
    }
    assert len(found["verdict"]["arms"]["gate-clusters-fraction-0.2"]) == 2
    assert len(found["verdict"]["arms"]["gate-plain-fraction-0.2"]) == 1


@pytest.mark.parametrize(
    ("budgets", "told"),
    [
        ([{"fraction": 0.2, "rows": 3}], "give exactly one budget"),
        ([{}], "give exactly one budget"),
        ([{"fractoin": 0.2}], "did you mean 'fraction'"),
        ([{"fraction": 2}], "less than or equal to 1"),
        ([{"rows": 3}, {"rows": 3}], "is there twice"),
    ],
)
def test_a_budget_that_is_none_is_told_where_it_is_written(budgets: list[dict[str, float]], told: str) -> None:
    with pytest.raises(ConfigError, match=rf"^bench\.budgets.*{told}"):
        steps(signals=["length"], budgets=budgets)


def test_budgets_that_differ_in_their_last_digit_are_two() -> None:
    found = steps(signals=["length"], budgets=[{"tokens": 1234567}, {"tokens": 1234568}])
    assert {"pick-length-plain-tokens-1234567", "pick-length-plain-tokens-1234568"} <= set(found)


def test_a_seed_is_trained_under_once() -> None:
    with pytest.raises(ConfigError, match=r"^bench\.seeds: .*0 is there twice"):
        steps(signals=["length"], seeds=[0, 0])
    with pytest.raises(ConfigError, match="no arm would be trained"):
        steps(signals=["length"], seeds=[])
    again = steps(signals=["length"], seeds=[0], leading=["length-plain"], more_seeds=[0, 1])
    assert len(again["verdict"]["arms"]["length-plain-fraction-0.2"]) == 2


@pytest.mark.parametrize("key", ["arms", "leading"])
def test_a_pattern_that_no_arm_answers_to_is_no_silent_nothing(key: str) -> None:
    with pytest.raises(ConfigError, match=f"^bench.{key}: no arm is called 'length-plian'"):
        steps(signals=["length"], **{key: ["length-*", "length-plian"]})


def test_the_one_signal_of_a_step_is_what_its_contestant_is_ranked_by() -> None:
    found = steps(signals={"long": {"step": {"signals": ["length"]}}})
    assert found["pick-long-plain-fraction-0.2"]["by"] == "length"
    assert found["verdict"]["columns"] == {"long": "length"}


def test_of_several_signals_one_is_named_or_a_rule_reads_all() -> None:
    both = {"step": {"signals": ["length", "random"]}}
    with pytest.raises(
        ConfigError, match=r"^bench\.signals\.both scores by several signals, .* rule 'plain' needs one"
    ):
        steps(signals={"both": both})
    found = steps(signals={"both": both | {"signal": "length"}})
    assert found["pick-both-plain-fraction-0.2"]["by"] == "length"


def test_what_a_signal_learnt_from_is_what_its_random_arm_is_trained_on() -> None:
    other = {"stage": "prepare", "sources": ["other.jsonl"]}
    rds = {"rds": {"step": {"trusted": "other"}}}
    told = r"^bench\.signals\.rds may know rows through 'other' that no random arm is trained on"
    with pytest.raises(ConfigError, match=told):
        expand({"vars": {}, "steps": STEPS | {"other": other}, "bench": BENCH | {"signals": rds}})
    with pytest.raises(ConfigError, match=r"^bench\.signals\.gate may know rows through 'trusted'"):
        steps(signals=["gate"], trusted=None)
    assert steps(signals=["gate"], trusted=None, test=None), "nothing is trained that could be unequal"


def test_a_gate_made_elsewhere_is_taken_to_have_learnt_from_trusted_rows() -> None:
    found = steps(signals=["gate", "length"], gate="runs/old/warmup")
    assert found["trial-gate-plain-fraction-0.2-0"]["trusted"] == "trusted"
    assert "trusted" not in found["trial-length-plain-fraction-0.2-0"]
    with pytest.raises(ConfigError, match="through 'runs/old/warmup'"):
        steps(signals=["gate"], gate="runs/old/warmup", trusted=None)
