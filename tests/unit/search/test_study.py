"""What is remembered of trials, and that a search which was stopped goes on to the trials it would have had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from sluicegate.config import build
from sluicegate.errors import MissingError
from sluicegate.search import study as module
from sluicegate.search.settings import Search
from sluicegate.search.study import FILE, Study, Told, Try, check_installed

SPACE = {
    "sft.learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
    "sft.lora.rank": {"low": 2, "high": 16, "step": 2},
    "sft.lora.targets": ["all-linear", ["q_proj", "v_proj"], None, True],
}
RUNGS = {"key": "sft.max_steps", "values": [10, 20, 40]}


def search(**keys: Any) -> Search:
    return build(Search, {"metric": "result.loss", "space": SPACE, "trials": 14, **keys})


def loss(one: Try) -> float:
    """Least at a rate of 0.001 and a rank of 8."""
    rate, rank = one.settings["sft.learning_rate"], one.settings["sft.lora.rank"]
    return abs(rate - 1e-3) + abs(rank - 8) + (one.settings["sft.lora.targets"] is None)


def asked_for(study: Study) -> Try:
    found = study.next()
    assert found is not None
    return found


def walked(study: Study, stop: int = 10**6) -> list[dict[str, Any]]:
    """The settings of every trial until there are no more, or until `stop` of them are over."""
    seen: list[dict[str, Any]] = []
    while len(seen) < stop and (one := study.next()):
        seen.append(one.settings)
        one.failed("too large for this machine") if len(seen) % 5 == 3 else one.whole(loss(one))
    return seen


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_search_that_was_killed_goes_on_to_the_same_trials(sampler: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = walked(Study(tmp_path / "a", "s", search(sampler=sampler)))
    first = walked(Study(tmp_path / "b", "s", search(sampler=sampler)), stop=7)
    broken = Study(tmp_path / "b", "s", search(sampler=sampler)).next()  # its process ends here
    assert broken is not None
    again = Study(tmp_path / "b", "s", search(sampler=sampler))
    seen: list[dict[str, Any]] = []
    while trial := again.next():
        seen.append(trial.settings)
        trial.failed("") if (len(first) + len(seen)) % 5 == 3 else trial.whole(loss(trial))
    assert [*first, *seen] == one
    assert seen[0] == broken.settings
    assert [trial.state for trial in again.told()].count("broken off") == 1
    assert len(again.told()) == 15, "what was broken off does not count"


def test_more_trials_go_on_with_the_search(tmp_path: Path) -> None:
    walked(Study(tmp_path, "s", search(trials=3)))
    assert Study(tmp_path, "s", search(trials=3)).next() is None
    assert len(walked(Study(tmp_path, "s", search(trials=5)))) == 2


def test_a_grid_is_walked_once_also_when_it_was_broken_off(tmp_path: Path) -> None:
    space = {"a.b": [1, 2, [3]], "a.c": {"low": 0, "high": 1}}
    asked = search(space=space, sampler="grid", trials=100)
    seen = []
    study = Study(tmp_path, "s", asked)
    for _ in range(2):
        one = asked_for(study)
        seen.append(one.settings)
        one.whole(1.0)
    study.next()
    study = Study(tmp_path, "s", asked)
    while one := study.next():
        seen.append(one.settings)
        one.whole(1.0)
    assert sorted(map(str, seen)) == sorted(map(str, asked.grid()))


def test_every_kind_of_choice_comes_back_as_it_was(tmp_path: Path) -> None:
    study = Study(tmp_path, "s", search(sampler="random", trials=40, space={"a.b": [2, True, "1", [1], None, 1.5]}))
    given = []
    while one := study.next():
        given.append(one.settings)
        one.whole(0.0)
    assert {str(type(one["a.b"])) for one in given} == {str(t) for t in (int, bool, str, list, type(None), float)}
    assert [trial.settings for trial in study.told()] == given


def test_numbers_stay_inside_their_ends_and_on_their_steps(tmp_path: Path) -> None:
    for one in walked(Study(tmp_path, "s", search(sampler="random", trials=30))):
        assert 1e-5 <= one["sft.learning_rate"] <= 1e-1
        assert one["sft.lora.rank"] in range(2, 17, 2)
        assert isinstance(one["sft.lora.rank"], int)


def test_the_best_went_all_the_way(tmp_path: Path) -> None:
    study = Study(tmp_path, "s", search(metric="result.accuracy", trials=4, rungs=RUNGS))
    ends = [("whole", 0.3), ("pruned", 0.9), ("whole", 0.5), ("failed", None)]
    for state, value in ends:
        one = asked_for(study)
        if value is None:
            one.failed("why")
            continue
        one.goes_on(10, value)
        one.whole(value) if state == "whole" else one.pruned()
    assert study.next() is None
    told = study.told()
    assert [trial.state for trial in told] == [state for state, _ in ends]
    assert [trial.value for trial in told] == [0.3, 0.9, 0.5, None]
    assert told[3].reason == "why"
    assert told[1].rungs == {10: 0.9}
    best = study.best()
    assert best is not None
    assert best.number == 2


def climbed(study: Study, losses: list[list[float]]) -> list[Told]:
    for row in losses:
        one = asked_for(study)
        for rung, value in zip(RUNGS["values"], row, strict=True):  # type: ignore[call-overload]
            if not one.goes_on(rung, value):
                one.pruned()
                break
        else:
            one.whole(row[-1])
    return study.told()


def test_the_median_leaves_what_is_worse_once_four_went_all_the_way(tmp_path: Path) -> None:
    study = Study(tmp_path, "s", search(rungs=RUNGS))
    told = climbed(study, [[float(n)] * 3 for n in (5, 4, 3, 2, 9, 1)])
    assert [trial.state for trial in told] == ["whole"] * 4 + ["pruned", "whole"]
    assert told[4].rungs == {10: 9.0}


def test_halving_lets_half_of_them_go_on(tmp_path: Path) -> None:
    study = Study(tmp_path, "s", search(rungs=RUNGS, pruner="halving"))
    told = climbed(study, [[float(n)] * 3 for n in (4, 5, 6, 3, 7)])
    assert [len(trial.rungs) for trial in told] == [3, 1, 1, 3, 1]
    assert [trial.state for trial in told] == ["whole", "pruned", "pruned", "whole", "pruned"]


def test_without_rungs_nothing_is_left(tmp_path: Path) -> None:
    study = Study(tmp_path, "s", search())
    assert {trial.state for trial in climbed(study, [[float(n)] * 3 for n in range(8)])} == {"whole"}


def test_optuna_reads_the_file(tmp_path: Path) -> None:
    walked(Study(tmp_path, "mine", search(trials=4)))
    found = optuna.load_study(study_name="mine", storage=f"sqlite:///{tmp_path / FILE}")
    assert len(found.trials) == 4
    assert set(found.best_trial.params) == set(SPACE)
    assert found.trials[2].user_attrs == {"reason": "too large for this machine"}
    assert [trial.state.name for trial in found.trials] == ["COMPLETE", "COMPLETE", "FAIL", "COMPLETE"]


def test_without_optuna_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'sluicegate\[tune\]'"):
        check_installed()
