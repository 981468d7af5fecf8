"""Everything a report says, as one JSON-able dict; the page, the Markdown and the console only write it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Protocol, TypedDict

from sluicegate.artifacts import Artifact
from sluicegate.data.world.faults import CLEAN
from sluicegate.reporting.curves import curves
from sluicegate.reporting.examples import examples
from sluicegate.reporting.headline import headline
from sluicegate.reporting.lineage import Arm, Run, trace_arms
from sluicegate.reporting.outcomes import Metric, Outcomes, choose_metric, outcomes, shared_questions
from sluicegate.reporting.pool import Pool, read_pool
from sluicegate.reporting.scores import Scores, aurocs, histograms, read_scores


class Statistics(Protocol):
    """What the summary asks of `evaluation.stats`; the two rooms do not know each other and meet in the stage."""

    def mean_interval(self, values: Any, weights: Any = None, /) -> tuple[float, float, float]:
        """Mean, low and high of seeds × questions."""

    def paired_difference(self, a: Any, b: Any, weights: Any = None, /) -> tuple[float, float, float]:
        """Mean, low and high of `a` minus `b`."""

    def auroc(self, scores: Any, is_good: Any, /) -> float:
        """Chance that a good row scores above a bad one."""


class Summary(TypedDict):
    """`summary.json`. Shares and accuracies are between 0 and 1; None is unknown."""

    title: str
    headline: str
    lead: str
    """The arm that headline, funnel and examples are about."""
    metric: Metric
    """What the arms are compared by; `low`, `high`, `per_seed` and the differences are of it."""
    pool: dict[str, Any] | None
    funnel: list[dict[str, Any]]
    arms: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    curves: list[dict[str, Any]]
    """How the losses fell, see `curves`."""
    signals: list[dict[str, Any]]
    faults: dict[str, dict[str, float]]
    histograms: list[dict[str, Any]]
    examples: list[dict[str, Any]]


def summarize(
    title: str, arms: Mapping[str, Sequence[Artifact]], against: str, n_examples: int, stats: Statistics
) -> Summary:
    """Follow every arm's evaluations back to their rows and put the numbers side by side.

    Args:
        title: what the report is called.
        arms: arm name to its evaluations, one per training seed.
        against: the arm the others are compared with; no comparison if it is not among them.
        n_examples: rows of the lead arm to show, half of them kept.
        stats: intervals and AUROC.
    """
    traced = trace_arms(arms)
    runs = [run for arm in traced for run in arm.runs]
    pools = {i: read_pool(data) for i, data in {run.data.id: run.data for run in runs if run.data}.items()}
    tables = {i: read_scores(table) for i, table in {run.scores.id: run.scores for run in runs if run.scores}.items()}
    lead = lead_arm(traced, against)
    faults = {arm.name: shares for arm in traced if (shares := _fault_shares(arm, pools))}
    metric = choose_metric(traced)
    rows = [_arm(arm, metric, faults.get(arm.name), stats) for arm in traced]
    differences = _differences(traced, against, metric, stats)
    return {
        "title": title,
        "headline": headline(lead.name, metric, rows, differences),
        "lead": lead.name,
        "metric": metric,
        "pool": _pool(lead.first, pools),
        "funnel": _funnel(lead.first, pools),
        "arms": rows,
        "differences": differences,
        "curves": curves(traced),
        "signals": _signals(traced, pools, tables, stats),
        "faults": faults,
        "histograms": list(histograms(traced, tables)),
        "examples": examples(lead.first, tables, n_examples),
    }


def lead_arm(arms: Sequence[Arm], against: str) -> Arm:
    """The arm the report is about: the first that selects and is not the control."""
    others = [arm for arm in arms if arm.name != against] or list(arms)
    return next((arm for arm in others if arm.first.selection), others[0])


def _arm(arm: Arm, metric: Metric, shares: Mapping[str, float] | None, stats: Statistics) -> dict[str, Any]:
    questions = shared_questions(arm.runs, metric)
    found = outcomes(arm.runs, questions, metric)
    mean, low, high = stats.mean_interval(*_given(found, metric)) if questions else (None, None, None)
    told = {key: _mean([run.metrics.get(key) for run in arm.runs]) for key in ("accuracy", "loss")}
    return {
        "arm": arm.name,
        "seeds": len(arm.runs),
        **{key: _mean([run.model.stats.get(key) if run.model else None for run in arm.runs]) for key in TRAINED},
        "clean_share": shares.get(CLEAN, 0.0) if shares else None,
        "questions": len(questions),
        **told | {metric: mean},
        "low": low,
        "high": high,
        "per_seed": found.per_seed() if questions else [],
        "seconds": _mean([run.seconds for run in arm.runs]),
        "evaluations": [run.evaluation.id for run in arm.runs],
    }


TRAINED = ("rows", "pool_rows", "trusted_rows", "label_tokens", "truncated", "steps")
"""Numbers of training that are means over the arm's seeds."""


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _given(found: Outcomes, metric: Metric) -> tuple[list[list[float]], list[int] | None]:
    """The matrix and, for the loss, what each question counts."""
    return found.values, found.weights if metric == "loss" else None


def _differences(arms: Sequence[Arm], against: str, metric: Metric, stats: Statistics) -> list[dict[str, Any]]:
    """Every arm against the control, on the questions both were measured on; below 0 is better for the loss."""
    control = next((arm for arm in arms if arm.name == against), None)
    out = []
    for arm in arms:
        if control is None or arm is control:
            continue
        if not (questions := shared_questions([*arm.runs, *control.runs], metric)):
            continue
        values, weights = _given(outcomes(arm.runs, questions, metric), metric)
        of_control = outcomes(control.runs, questions, metric).values
        mean, low, high = stats.paired_difference(values, of_control, weights)
        trusted = [_trusted(side) for side in (arm, control)]
        same = bool(trusted[0]) and trusted[0] == trusted[1]
        seeds = [len(arm.runs), len(control.runs)]
        found = {"arm": arm.name, "against": against, "mean": mean, "low": low, "high": high, "seeds": seeds}
        out.append({**found, "metric": metric, "same_trusted": same})
    return out


def _trusted(arm: Arm) -> set[str]:
    return {run.trusted.id for run in arm.runs if run.trusted}


def _fault_shares(arm: Arm, pools: Mapping[str, Pool]) -> dict[str, float]:
    """Mean share of every fault over the arm's seeds; the trusted rows that were added do not count."""
    per_run = [pools[run.data.id].shares(run.kept) for run in arm.runs if run.data]
    names = list(dict.fromkeys(name for shares in per_run for name in shares))
    return {name: fmean(shares.get(name, 0.0) for shares in per_run) for name in names}


def _pool(run: Run, pools: Mapping[str, Pool]) -> dict[str, Any] | None:
    if run.data is None:
        return None
    pool = pools[run.data.id]
    counts = {"rows": pool.rows, "sources": dict(pool.sources.most_common()), "langs": dict(pool.langs.most_common())}
    shares = pool.shares()
    return {"id": pool.id, **counts, "clean_share": shares.get(CLEAN, 0.0) if shares else None, "faults": shares}


def _funnel(run: Run, pools: Mapping[str, Pool]) -> list[dict[str, Any]]:
    """Rows left, lost and added at every door from the raw file to the training of the lead arm."""
    if run.data is None:
        return []
    pool = pools[run.data.id]
    doors = [("read", pool.rows + pool.dropped, "left"), ("dropped at preparation", pool.dropped, "lost")]
    doors += [("in the pool", pool.rows, "left")]
    if run.selection:
        doors += _choice(run.selection.stats)
    if run.trusted and run.model:
        trained = run.model.stats
        doors += [("trusted rows added", trained["trusted_rows"], "added"), ("trained on", trained["rows"], "left")]
    return [{"step": step, "rows": rows, "flow": flow} for step, rows, flow in doors]


def _choice(chosen: Mapping[str, int]) -> list[tuple[str, int, str]]:
    copies, unscored, kept = chosen["duplicates"], chosen["unscored"], chosen["kept"]
    passed_over = chosen["rows"] - copies - unscored - kept
    lost = {"duplicates": copies, "without a score": unscored, "not chosen": passed_over}
    return [*[(step, rows, "lost") for step, rows in lost.items()], ("kept", kept, "left")]


def _signals(
    arms: Sequence[Arm], pools: Mapping[str, Pool], tables: Mapping[str, Scores], stats: Statistics
) -> list[dict[str, Any]]:
    """Every signal once; one that several score tables hold is told apart by the table's id."""
    scored = {run.scores.id: run.data.id for arm in arms for run in arm.runs if run.scores and run.data}
    names = [signal for table in scored for signal in tables[table].signals]
    out = []
    for table, pool in scored.items():
        for found in aurocs(tables[table], pools[pool].faults, stats.auroc):
            twice = names.count(found["signal"]) > 1
            out.append({**found, "signal": f"{found['signal']} ({table})" if twice else found["signal"]})
    return out
