"""What predictions add up to: accuracy by three verdicts and errors, overall and in parts: JSON, Markdown, CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import mean
from typing import Any, Literal, TypedDict, get_args

from sluicegate.evaluation.predictions import Prediction
from sluicegate.evaluation.several import pass_at_k

Part = Literal["source", "level", "type"]
PARTS: tuple[Part, ...] = ("source", "level", "type")
Share = Literal["accuracy", "standard_error", "strict", "flexible", "symbolic", "no_answer", "truncated"]


SHARES: tuple[Share, ...] = get_args(Share)


class Tally(TypedDict):
    """Rows, those of them with an answer to compare with, and shares of these; null if there are none."""

    n: int
    graded: int
    accuracy: float | None
    """By the verdict that counts, and by people where they reviewed it."""
    standard_error: float | None
    """Of the accuracy, for questions drawn at random."""
    strict: float | None
    flexible: float | None
    symbolic: float | None
    """Accuracy by each of the three verdicts."""
    no_answer: float | None
    """Share of the replies that no rule found an answer in."""
    truncated: float | None
    """Share of the replies that reached the length limit."""
    tokens: float | None
    """Mean length of a reply."""


class Seen(TypedDict):
    """What a model knew of the questions before."""

    seen: int | None
    """Questions that hold 13 words in a row of what it was trained on; null where its past is not known."""
    accuracy_unseen: float | None
    """Of the other questions."""


class Metrics(Tally, Seen):
    """`metrics.json`."""

    loss: float | None
    """Nats per label token of the gold replies."""
    by_source: dict[str, Tally]
    by_level: dict[str, Tally]
    by_type: dict[str, Tally]
    """Of the rows whose data says so; empty where it does not."""
    errors: dict[str, int]
    """Wrong replies by kind."""
    pass_at: dict[str, float]
    """Number of replies k to pass@k; empty where each question has one reply, of several `accuracy` is maj@n."""


def measure(predictions: Sequence[Prediction], loss: float | None) -> Metrics:
    """Count right and wrong, overall and in parts; names of parts and errors in alphabetical order."""
    errors = Counter(p["error"] for p in predictions if p["error"])
    return {
        **_tally(predictions),
        "loss": None if loss is None else round(loss, 6),
        "by_source": _by("source", predictions),
        "by_level": _by("level", predictions),
        "by_type": _by("type", predictions),
        "errors": dict(sorted(errors.items())),
        "pass_at": _pass_at(predictions),
        **_seen(predictions),
    }


def _pass_at(predictions: Sequence[Prediction]) -> dict[str, float]:
    """pass@1, 2, 4 and so on, and of all replies there are to every question."""
    counts = [(p["n_samples"] or 1, p["n_correct"] or 0) for p in predictions if p["correct"] is not None]
    n = min((n for n, _ in counts), default=1)
    ks = [k for k in (1 << power for power in range(n.bit_length())) if k < n] + [n]
    return {str(k): round(mean(pass_at_k(*count, k) for count in counts), 6) for k in ks if n > 1}


def _seen(predictions: Sequence[Prediction]) -> Seen:
    known = [p for p in predictions if p["seen"] is not None]
    if not known:
        return {"seen": None, "accuracy_unseen": None}
    unseen = [bool(p["correct"]) for p in known if p["correct"] is not None and not p["seen"]]
    return {"seen": sum(bool(p["seen"]) for p in known), "accuracy_unseen": _mean(unseen)}


def _by(part: Part, predictions: Sequence[Prediction]) -> dict[str, Tally]:
    names = sorted({name for p in predictions if (name := p[part]) is not None})
    return {name: _tally([p for p in predictions if p[part] == name]) for name in names}


def _tally(predictions: Sequence[Prediction]) -> Tally:
    graded = [p for p in predictions if p["correct"] is not None]
    accuracy = _mean([bool(p["correct"]) for p in graded])
    error = None if accuracy is None else round((accuracy * (1 - accuracy) / len(graded)) ** 0.5, 6)
    return {
        "n": len(predictions),
        "graded": len(graded),
        "accuracy": accuracy,
        "standard_error": error,
        "strict": _mean([bool(p["strict"]) for p in graded]),
        "flexible": _mean([bool(p["flexible"]) for p in graded]),
        "symbolic": _mean([bool(p["symbolic"]) for p in graded]),
        "no_answer": _mean([p["extracted"] is None for p in graded]),
        "truncated": _mean([bool(p["truncated"]) for p in graded]),
        "tokens": _mean([p["n_tokens"] or 0 for p in graded]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None


def as_markdown(metrics: Metrics) -> str:
    """A table by source with the total below, others by level and type where these are known, loss and errors."""
    errors = ", ".join(f"{kind} {n}" for kind, n in metrics["errors"].items()) or "none"
    loss = "–" if metrics["loss"] is None else f"{metrics['loss']:.4f} nats per label token"
    tables = [_table(part, metrics) for part in PARTS if _lines(part, metrics)]
    last = [f"Loss: {loss}. Errors: {errors}.", *_of_samples(metrics), _of_past(metrics)]
    return "\n\n".join(["# Evaluation", *tables, *last]) + "\n"


def _of_samples(metrics: Metrics) -> list[str]:
    told = ", ".join(f"pass@{k} {_percent(share)}" for k, share in metrics["pass_at"].items())
    return [f"Of several replies the most frequent answer counts; {told}."] if told else []


def _of_past(metrics: Metrics) -> str:
    """What the model knew before."""
    if metrics["seen"] is None:
        return "Whether the model was trained on any of the questions is not known."
    share = f"{metrics['seen']:,} of {metrics['n']:,} questions stand in what the model was trained on"
    return f"{share} (13 words in a row); accuracy on the others: {_percent(metrics['accuracy_unseen'])}."


def _table(part: Part, metrics: Metrics) -> str:
    head = [part, "rows", "graded", *(name.replace("_", " ") for name in SHARES), "tokens"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)], *(_cells(name, tally) for name, tally in _lines(part, metrics))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(name: str, tally: Tally) -> list[str]:
    shares = [_percent(tally[share]) for share in SHARES]
    length = "–" if tally["tokens"] is None else f"{tally['tokens']:.0f}"
    return [_escape(name), str(tally["n"]), str(tally["graded"]), *shares, length]


def csv_rows(metrics: Metrics) -> list[list[Any]]:
    """Header, a row per source, level and type, and the total; empty where a number is not known."""
    columns = list(Tally.__annotations__)
    loss = {"all": metrics["loss"]}
    lines = [(part, *line) for part in PARTS for line in _lines(part, metrics)]
    rows = [[part, name, *(dict(tally)[c] for c in columns), loss.get(name)] for part, name, tally in lines]
    return [["part", "name", *columns, "loss"], *rows]


def _lines(part: Part, metrics: Metrics) -> list[tuple[str, Tally]]:
    """The parts by name; the total stands below the sources, which every row has one of."""
    if part == "source":
        return [*metrics["by_source"].items(), ("all", metrics)]
    return list((metrics["by_level"] if part == "level" else metrics["by_type"]).items())


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
