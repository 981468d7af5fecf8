"""What a bake-off found, as one JSON-able dict: signals against known faults, arms against random choices, costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sluicegate.artifacts import Artifact
from sluicegate.data.world.faults import CLEAN
from sluicegate.registry import SIGNALS
from sluicegate.reporting.advice import advice
from sluicegate.reporting.lineage import Arm, trace_arms
from sluicegate.reporting.outcomes import Metric, Outcomes, choose_metric, outcomes, shared_questions
from sluicegate.reporting.pool import Pool, read_pool
from sluicegate.reporting.scores import Scores, aurocs

RANDOM = "random"
Floats: TypeAlias = NDArray[np.float64]
Interval: TypeAlias = tuple[float, float, float]
Entry: TypeAlias = Mapping[str, Any]
"""What an arm or a choice is: `signal`, `rule`, `budget` and whether `trusted` rows were known; empty for a control."""


class Statistics(Protocol):
    """What is asked of `evaluation.stats`; the two rooms do not know each other and meet in the stage."""

    def mean_interval(self, values: Any, weights: Any = None, /) -> Interval:
        """Mean, low and high of seeds × questions."""

    def simultaneous(self, differences: Any, weights: Any = None, /) -> Sequence[Interval]:
        """Mean, low and high of each difference, which hold at once."""

    def auroc(self, scores: Any, is_good: Any, /) -> float:
        """Chance that a good row scores above a bad one."""

    def r_precision(self, scores: Any, is_good: Any, /) -> float:
        """Share of bad rows among as many that score lowest."""


@dataclass(frozen=True)
class Contest:
    """What a bake-off is made of."""

    title: str
    data: Artifact
    control: Artifact
    """Scores of every row that cost nothing; they tell how many tokens there are."""
    scores: Mapping[str, Artifact]
    """By contestant."""
    columns: Mapping[str, str]
    """Contestant to the column of its own, where it has one."""
    picks: Mapping[str, Artifact]
    picked: Mapping[str, Entry]
    """What each of the picks is."""
    arms: Mapping[str, Sequence[Artifact]]
    """Evaluations, one per seed."""
    trained: Mapping[str, Entry]
    """What each of the arms is."""

    @cached_property
    def tokens(self) -> int:
        """Those of all rows, which one forward pass reads."""
        table = self.control.table("scores", ["n_prompt_tokens", "n_label_tokens"])
        return int(sum(column.to_numpy().sum() for column in table.columns))

    @cached_property
    def pool(self) -> Pool:
        """What is known of the rows."""
        return read_pool(self.data)

    def cost(self, scores: Artifact) -> dict[str, float | None]:
        """Of making scores, with all that had to be learned for them: in forward passes over the rows, and seconds."""
        steps = {step.id: step for step in _lineage(scores)}.values()
        forward, seconds = (sum(numbers) for numbers in zip(*(_spent(step, scores) for step in steps), strict=True))
        known = not any(signal.elsewhere for step in steps for signal in _signals(step))
        units = round(forward / max(self.tokens, 1), 3) if known else None
        return {"forward_units": units, "seconds": round(seconds, 2)}


def summarize_contest(contest: Contest, stats: Statistics) -> dict[str, Any]:
    """Put the numbers side by side; None is unknown."""
    arms = _arms(contest, stats) if contest.arms else []
    signals = [_signal(contest, name, table, stats) for name, table in contest.scores.items()]
    pool = contest.pool
    label_tokens = int(contest.control.table("scores", ["n_label_tokens"])["n_label_tokens"].to_numpy().sum())
    return {
        "title": contest.title,
        "advice": advice(arms, signals),
        "metric": arms[0]["metric"] if arms else None,
        "pool": {
            "id": pool.id,
            "rows": pool.rows,
            "label_tokens": label_tokens,
            "faults": dict(Counter(pool.faults.values())),
        },
        "shares": sorted({entry["budget"]["fraction"] for entry in contest.picked.values()}),
        "signals": signals,
        "arms": arms,
    }


# Signals ------------------------------------------------------------------------------------------------------------


def _signal(contest: Contest, name: str, table: Artifact, stats: Statistics) -> dict[str, Any]:
    column = contest.columns.get(name)
    found = _own(table, column) if column else _by_rank(contest, name)
    picks = {key: entry for key, entry in contest.picked.items() if entry["signal"] == name}
    (values,) = found.signals.values()
    return {
        "signal": name,
        "uses_trusted": any(entry["trusted"] for entry in picks.values()),
        **contest.cost(table),
        "scored": int((~np.isnan(values)).sum()),
        "unscored_why": _reasons(table, column) if column else {},
        **_judged(found, contest.pool, "auroc", "by_fault", stats.auroc),
        **_judged(found, contest.pool, "precision", "precision_by_fault", stats.r_precision),
        "clean_share": _clean_shares(contest, picks) if contest.pool.faults else None,
    }


def _own(table: Artifact, column: str) -> Scores:
    found = table.table("scores", ["id", column])
    return Scores(found["id"].to_pylist(), {column: found[column].to_numpy().astype(np.float32)})


def _by_rank(contest: Contest, name: str) -> Scores:
    """Of a contestant whose rule reads several columns: the better a row's rank, the higher."""
    key = next(key for key, entry in contest.picked.items() if entry["signal"] == name)
    found = contest.picks[key].table("selection", ["id", "rank"])
    return Scores(found["id"].to_pylist(), {name: -found["rank"].to_numpy().astype(np.float32)})


def _reasons(table: Artifact, column: str) -> dict[str, int]:
    """Why rows have no score, the most frequent reasons first."""
    why = table.table("scores", [f"{column}_why"])[f"{column}_why"].to_pylist()
    return dict(Counter(reason.partition(":")[0] for reason in why if reason).most_common(5))


def _judged(found: Scores, pool: Pool, name: str, by: str, measure: Callable[[Any, Any], float]) -> dict[str, Any]:
    judged = next(aurocs(found, pool.faults, measure), None)
    return {name: judged["auroc"], by: judged["by_fault"]} if judged else {name: None, by: None}


def _clean_shares(contest: Contest, picks: Mapping[str, Entry]) -> dict[str, dict[str, float]]:
    """Rule to fraction to the share of clean rows among the chosen."""
    shares: dict[str, dict[str, float]] = {}
    for key, entry in picks.items():
        rows = contest.picks[key].rows("selection", ["id", "kept"])
        clean = contest.pool.shares([row["id"] for row in rows if row["kept"]]).get(CLEAN, 0.0)
        shares.setdefault(entry["rule"], {})[f"{entry['budget']['fraction']:g}"] = round(clean, 4)
    return shares


def _lineage(scores: Artifact) -> Iterator[Artifact]:
    """Scores and what they were made from, back to rows and models."""
    if scores.kind not in ("messages", "model"):
        yield scores
        for parent in scores.parents().values():
            yield from _lineage(parent)


def _spent(step: Artifact, scores: Artifact) -> tuple[float, float]:
    """Token-forwards and seconds of one step; of a gate only its copy's where the scores read nothing else of it."""
    forward, seconds = (step.stats.get(key, 0) for key in ("forward_tokens", "working_seconds"))
    if step.kind != "gate" or any("gate" in (signal.reads, signal.minus) for signal in _signals(scores)):
        return forward, seconds
    copy = step.stats.get("copy_forward_tokens", 0)
    return copy, seconds * copy / max(forward, 1)


def _signals(step: Artifact) -> list[Any]:
    return [SIGNALS.get(name) for name in step.manifest["config"].get("signals", [])]


# Arms ---------------------------------------------------------------------------------------------------------------


def _arms(contest: Contest, stats: Statistics) -> list[dict[str, Any]]:
    traced = {arm.name: arm for arm in trace_arms(contest.arms)}
    metric = choose_metric(list(traced.values()))
    questions = shared_questions([run for arm in traced.values() for run in arm.runs], metric)
    if not questions:
        return []
    found = {name: outcomes(arm.runs, questions, metric) for name, arm in traced.items()}
    weights = [weight for _, weight in questions] if metric == "loss" else None
    rows = {name: _arm(contest, arm, found[name], metric, weights, stats) for name, arm in traced.items()}
    gains = {
        name: _gain(found[name], _paired(found[row["against"]], traced[row["against"]], traced[name]), metric)
        for name, row in rows.items()
        if row["against"]
    }
    for name, interval in zip(gains, stats.simultaneous(list(gains.values()), weights) if gains else [], strict=True):
        rows[name]["gain"] = dict(zip(("mean", "low", "high"), interval, strict=True))
        rows[name]["verdict"] = "better" if interval[1] > 0 else "worse" if interval[2] < 0 else "within noise"
    for budget in dict.fromkeys(row["budget"] for row in rows.values()):
        _tell_apart({n: row for n, row in rows.items() if row["budget"] == budget}, gains, weights, stats)
    for row in rows.values():
        row["against"] = rows[row["against"]]["arm"] if row["against"] else None
    return list(rows.values())


def _arm(
    contest: Contest, arm: Arm, found: Outcomes, metric: Metric, weights: list[int] | None, stats: Statistics
) -> dict[str, Any]:
    entry = contest.trained[arm.name]
    mean, low, high = stats.mean_interval(found.values, weights)
    trained = [run.model.stats for run in arm.runs if run.model]
    scores = arm.first.scores
    return {
        "arm": label(arm.name, entry),
        "signal": entry.get("signal") or None,
        "rule": entry.get("rule") if entry.get("signal") else None,
        "budget": spell(entry.get("budget") or {}),
        "trusted": bool(entry.get("trusted")),
        "control": not entry.get("signal"),
        **{key: fmean(one[key] for one in trained) for key in ("rows", "label_tokens", "steps")},
        "seeds": len(arm.runs),
        "metric": metric,
        metric: mean,
        "low": low,
        "high": high,
        "per_seed": found.per_seed(),
        "against": _control(contest, entry),
        "gain": None,
        "verdict": None,
        "ties_with_best": None,
        **(contest.cost(scores) if scores else {"forward_units": 0.0, "seconds": 0.0}),
    }


def _control(contest: Contest, entry: Entry) -> str | None:
    """The random arm that knows as much: as many rows or tokens, and the same trusted rows."""
    if not entry.get("signal"):
        return None
    same = {"rule": RANDOM, "budget": entry["budget"], "trusted": entry["trusted"]}
    return next((key for key, other in contest.trained.items() if same.items() <= other.items()), None)


def _paired(found: Outcomes, control: Arm, arm: Arm) -> Floats:
    """What a control did under an arm's seeds, (seeds, questions); its mean, where it was not trained under all."""
    values, seeds = np.array(found.values, float), _seeds(control)
    if not set(_seeds(arm)) <= set(seeds):
        return values.mean(axis=0, keepdims=True)
    return values[[seeds.index(seed) for seed in _seeds(arm)]]


def _seeds(arm: Arm) -> list[int]:
    return [run.evaluation.manifest["config"].get("tune", {}).get("seed", n) for n, run in enumerate(arm.runs)]


def _gain(arm: Outcomes, control: Floats, metric: Metric) -> Floats:
    """Seeds × questions, above 0 where the arm is better."""
    apart = np.array(arm.values, float) - control
    return -apart if metric == "loss" else apart


def _tell_apart(
    rows: Mapping[str, dict[str, Any]], gains: Mapping[str, Floats], weights: list[int] | None, stats: Statistics
) -> None:
    """Say of every arm that is better than random whether it ties with the best one of its budget."""
    better = sorted(
        (n for n, row in rows.items() if row["verdict"] == "better"), key=lambda n: -rows[n]["gain"]["mean"]
    )
    if not better:
        return
    best, others = better[0], better[1:]
    rows[best]["ties_with_best"] = True
    behind = stats.simultaneous([_apart(gains[best], gains[name]) for name in others], weights) if others else []
    for name, (_, low, _) in zip(others, behind, strict=True):
        rows[name]["ties_with_best"] = low <= 0


def _apart(one: Floats, other: Floats) -> Floats:
    """The difference under the seeds that both have: those of the one with fewer come first in the other."""
    seeds = min(len(one), len(other))
    return one[:seeds] - other[:seeds]


def label(key: str, entry: Entry) -> str:
    """What an arm is called."""
    if entry.get("signal"):
        return f"{entry['signal']}, {entry['rule']}"
    if entry.get("rule") == RANDOM:
        return "random, with trusted rows" if entry["trusted"] else "random"
    return {"all": "all rows", "trusted": "trusted rows alone"}[key]


def spell(budget: Mapping[str, float]) -> str:
    """A budget in words."""
    words = {
        "fraction": lambda v: f"{100 * v:g} % of rows",
        "rows": lambda v: f"{v:,.0f} rows",
        "tokens": lambda v: f"{v:,.0f} label tokens",
        "token_fraction": lambda v: f"{100 * v:g} % of label tokens",
    }
    return ", ".join(words[key](value) for key, value in budget.items())
