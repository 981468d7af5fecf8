from __future__ import annotations

import json
import shutil
from pathlib import Path
from statistics import fmean

import pytest

from fake_runs import DROPPED, PREDICTIONS, QUESTIONS, TOKENS, TRUSTED, FakeRuns
from sluicegate.artifacts import Artifact, seal, write_arrow
from sluicegate.evaluation import stats
from sluicegate.reporting.pool import fault_of
from sluicegate.reporting.summary import Summary, summarize

Arms = dict[str, list[Artifact]]


def arm(summary: Summary, name: str) -> dict:
    return next(row for row in summary["arms"] if row["arm"] == name)


def answers(evaluations: list[Artifact]) -> list[list[bool]]:
    """Seeds × questions, the questions sorted by their ids."""
    tables = [{row["id"]: row["correct"] for row in e.rows("predictions")} for e in evaluations]
    return [[table[i] for i in sorted(table)] for table in tables]


@pytest.mark.parametrize(
    ("name", "seeds", "rows", "trusted"),
    [
        ("gate", 3, 60 + TRUSTED, TRUSTED),
        ("random", 3, 60 + TRUSTED, TRUSTED),
        ("all", 1, 300, 0),
        ("trusted", 1, 20, 0),
    ],
)
def test_rows_and_label_tokens(summary: Summary, name: str, seeds: int, rows: int, trusted: int) -> None:
    found = arm(summary, name)
    assert (found["seeds"], found["rows"], found["trusted_rows"]) == (seeds, rows, trusted)
    assert found["label_tokens"] == TOKENS * rows


def test_clean_share_is_of_the_kept_rows_and_a_mean_over_the_seeds(runs: FakeRuns, summary: Summary) -> None:
    fault = {row["id"]: fault_of(row) for row in runs.pool.rows("messages")}

    def share(selection: str) -> float:
        kept = [row["id"] for row in runs.store.open(selection).rows("selection") if row["kept"]]
        return sum(fault[i] == "clean" for i in kept) / len(kept)

    assert arm(summary, "gate")["clean_share"] == pytest.approx(share("selection-gate"))
    random = [share(f"selection-random{seed}") for seed in range(3)]
    assert len(set(random)) > 1
    assert arm(summary, "random")["clean_share"] == pytest.approx(fmean(random))
    assert (arm(summary, "all")["clean_share"], arm(summary, "trusted")["clean_share"]) == (0.5, 1.0)


@pytest.mark.parametrize("name", ["gate", "all"])
def test_accuracy_and_its_interval(arms: Arms, summary: Summary, name: str) -> None:
    found, matrix = arm(summary, name), answers(arms[name])
    assert found["questions"] == QUESTIONS
    assert found["per_seed"] == [sum(row) / QUESTIONS for row in matrix]
    assert found["accuracy"] == pytest.approx(fmean(found["per_seed"]))
    assert (found["accuracy"], found["low"], found["high"]) == stats.mean_interval(matrix)


def test_differences_are_paired_and_say_whether_both_had_the_trusted_rows(arms: Arms, summary: Summary) -> None:
    found = {row["arm"]: row for row in summary["differences"]}
    assert list(found) == ["gate", "all", "trusted"]
    for name, row in found.items():
        interval = stats.paired_difference(answers(arms[name]), answers(arms["random"]))
        assert (row["mean"], row["low"], row["high"]) == interval
        assert row["mean"] == pytest.approx(arm(summary, name)["accuracy"] - arm(summary, "random")["accuracy"])
        assert row["against"] == "random"
    assert [row["same_trusted"] for row in found.values()] == [True, False, False]
    assert [row["seeds"] for row in found.values()] == [[3, 3], [1, 3], [1, 3]]


def test_trusted_rows_on_one_side_only_are_not_the_same(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    picked = runs.selection("gate", "gate"), runs.selection("random")
    gate = runs.evaluation("gate", 0, 0.6, runs.pool, picked[0], runs.trusted)
    random = runs.evaluation("random", 0, 0.4, runs.pool, picked[1])
    [found] = summarize("", {"gate": [gate], "random": [random]}, "random", 0, stats)["differences"]
    assert found["same_trusted"] is False


def test_questions_that_only_some_runs_answered_do_not_count(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    evaluations = [runs.evaluation("all", seed, 0.5, runs.pool) for seed in range(2)]
    runs.answer(evaluations[1].path, 0.5, questions=10)
    found = summarize("", {"all": evaluations}, "random", 0, stats)["arms"][0]
    first_ten = [row["correct"] for row in evaluations[0].rows("predictions")][:10]
    assert found["questions"] == 10
    assert found["per_seed"][0] == fmean(first_ten)


def test_the_funnel_adds_up(summary: Summary) -> None:
    rows = {door["step"]: door["rows"] for door in summary["funnel"]}
    assert rows == {
        "read": 300 + DROPPED,
        "dropped at preparation": DROPPED,
        "in the pool": 300,
        "duplicates": 50,
        "without a score": 5,
        "not chosen": 185,
        "kept": 60,
        "trusted rows added": TRUSTED,
        "trained on": 60 + TRUSTED,
    }
    level = 0
    for door in summary["funnel"]:
        level += {"lost": -door["rows"], "added": door["rows"], "left": 0}[door["flow"]]
        if door["flow"] == "left":
            level = level or door["rows"]
            assert level == door["rows"]


def test_the_funnel_of_an_arm_that_takes_all_rows(arms: Arms) -> None:
    found = summarize("", {"all": arms["all"]}, "random", 0, stats)["funnel"]
    assert [door["step"] for door in found] == ["read", "dropped at preparation", "in the pool"]


def test_faults_and_signals_of_the_pool(summary: Summary) -> None:
    assert summary["pool"] is not None
    assert summary["pool"]["clean_share"] == 0.5
    assert list(summary["faults"]) == ["gate", "random", "all", "trusted"]
    assert sum(summary["faults"]["random"].values()) == pytest.approx(1)
    assert "dup" not in summary["faults"]["gate"]
    assert [found["signal"] for found in summary["signals"]] == ["gate", "length"]
    assert set(summary["signals"][0]["by_fault"]) == {"dup", "gibberish", "wrong_final"}


def test_the_lead_is_the_first_arm_that_selects_and_is_not_the_control(arms: Arms, summary: Summary) -> None:
    assert summary["lead"] == "gate"
    swapped = {name: arms[name] for name in ("all", "random", "gate")}
    assert summarize("", swapped, "random", 0, stats)["lead"] == "gate"
    assert summarize("", {"all": arms["all"], "random": arms["random"]}, "random", 0, stats)["lead"] == "all"
    assert summarize("", {"random": arms["random"]}, "random", 0, stats)["lead"] == "random"


@pytest.mark.parametrize("against", ["random", "gate", "nothing"])
def test_one_arm_alone(arms: Arms, against: str) -> None:
    found = summarize("", {"gate": arms["gate"]}, against, 4, stats)
    assert found["differences"] == []
    assert found["headline"].startswith("gate answers ")
    assert len(found["examples"]) == 4


def test_without_a_control_nothing_is_compared(arms: Arms) -> None:
    assert summarize("", arms, "chance", 0, stats)["differences"] == []


def test_a_pool_without_known_faults_and_questions_without_answers(bare: Summary) -> None:
    assert bare["pool"] is not None
    assert bare["pool"]["clean_share"] is None
    assert (bare["faults"], bare["signals"], bare["metric"]) == ({}, [], "loss")
    for found in bare["arms"]:
        assert (found["clean_share"], found["accuracy"]) == (None, None)
        assert found["low"] < found["loss"] < found["high"]
        assert fmean(found["per_seed"]) == pytest.approx(found["loss"])
    assert arm(bare, "gate")["loss"] == pytest.approx(1.35)
    assert [found["mean"] for found in bare["differences"]] == pytest.approx([-0.2, -0.05, -0.03], abs=1e-6)
    assert {found["metric"] for found in bare["differences"]} == {"loss"}
    assert bare["headline"].startswith("gate beats random: loss lower by 0.200 [")


def silent(tmp_path: Path, rate: float) -> tuple[FakeRuns, Arms]:
    """Two arms that answer nothing, or everything, one with a lower loss."""
    runs = FakeRuns(tmp_path / "store")
    rates = {"gate": rate + 0.1, "random": rate}
    return runs, {name: [runs.evaluation(name, 0, rate, runs.pool)] for name, rate in rates.items()}


@pytest.mark.parametrize(("rate", "accuracy", "said"), [(-0.2, 0.0, "No model"), (1.0, 1.0, "Every model")])
def test_accuracies_without_information_give_way_to_the_loss(
    tmp_path: Path, rate: float, accuracy: float, said: str
) -> None:
    found = summarize("", silent(tmp_path, rate)[1], "random", 0, stats)
    assert found["metric"] == "loss"
    assert [arm["accuracy"] for arm in found["arms"]] == [accuracy, accuracy]
    assert found["headline"].startswith(said)
    assert "gate beats random: loss lower by 0.100" in found["headline"]


def test_long_replies_count_more_as_in_the_metrics(tmp_path: Path) -> None:
    _, arms = silent(tmp_path, -0.2)
    [evaluation] = arms["gate"]
    rows = list(evaluation.rows("predictions"))
    total = sum(row["loss"] * row["n_label_tokens"] for row in rows) / sum(row["n_label_tokens"] for row in rows)
    found = arm(summarize("", arms, "random", 0, stats), "gate")
    assert found["loss"] == pytest.approx(total) == pytest.approx(2.1)
    assert found["questions"] == QUESTIONS
    assert abs(fmean(row["loss"] for row in rows) - total) > 1e-3


def test_losses_over_other_tokens_are_not_compared(tmp_path: Path) -> None:
    _, arms = silent(tmp_path, -0.2)
    rows = [{**row, "n_label_tokens": row["n_label_tokens"] + 1} for row in arms["gate"][0].rows("predictions")]
    write_arrow(arms["gate"][0].path / "predictions.parquet", rows, PREDICTIONS)
    found = summarize("", arms, "random", 0, stats)
    assert found["differences"] == []
    assert arm(found, "gate")["low"] is not None


def test_seconds_are_the_mean_training_time_of_the_models_manifests(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    evaluations = [runs.evaluation("all", seed, 0.5, runs.pool) for seed in range(2)]
    for evaluation, seconds in zip(evaluations, (10.0, 15.0), strict=True):
        runs.took(evaluation.parent("model"), seconds)
    assert summarize("", {"all": evaluations}, "random", 0, stats)["arms"][0]["seconds"] == 12.5


def test_a_model_from_elsewhere_stands_beside_the_arms(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    gate = runs.evaluation("gate", 0, 0.6, runs.pool, runs.selection("gate", "gate"))
    outside = runs.bought(0.5)
    found = summarize("", {"bought": [outside], "gate": [gate]}, "bought", 0, stats)
    bought = arm(found, "bought")
    assert (bought["rows"], bought["label_tokens"], bought["clean_share"], bought["seconds"]) == (None,) * 4
    assert bought["accuracy"] is not None
    alone = summarize("", {"bought": [outside]}, "random", 20, stats)
    assert (alone["pool"], alone["funnel"], alone["examples"]) == (None, [], [])


def test_one_signal_in_two_score_tables_is_told_apart(tmp_path: Path) -> None:
    runs = FakeRuns(tmp_path / "store")
    one = runs.evaluation("one", 0, 0.6, runs.pool, runs.selection("one", "gate"))
    shutil.copytree(runs.scores.path, runs.store.root / "scores-two")
    manifest = json.loads((runs.scores.path / "manifest.json").read_text()) | {"id": "scores-two"}
    sealed = manifest | {"seal": seal(manifest)}
    (runs.store.root / "scores-two" / "manifest.json").write_text(json.dumps(sealed))
    runs.scores = runs.store.open("scores-two")
    two = runs.evaluation("two", 0, 0.6, runs.pool, runs.selection("two", "gate"))
    signals = summarize("", {"one": [one], "two": [two]}, "random", 0, stats)["signals"]
    assert [s["signal"] for s in signals][::2] == ["gate (scores-one)", "gate (scores-two)"]


def test_it_is_plain_json(summary: Summary, bare: Summary) -> None:
    for found in (summary, bare):
        assert json.loads(json.dumps(found, allow_nan=False)) == found
