"""What predictions add up to: accuracy and errors, overall and by source, as numbers, Markdown and CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypedDict

from sluicegate.evaluation.predictions import Prediction


class Tally(TypedDict):
    """Rows, those of them with an answer to compare with, and the share of these that is right."""

    n: int
    graded: int
    accuracy: float | None
    """Null if no row has an answer."""


class Metrics(Tally):
    """`metrics.json`."""

    loss: float | None
    """Nats per label token of the gold replies."""
    by_source: dict[str, Tally]
    errors: dict[str, int]
    """Wrong replies by kind."""


def measure(predictions: Sequence[Prediction], loss: float | None) -> Metrics:
    """Count right and wrong, overall and by source; sources and errors in alphabetical order."""
    sources = sorted({p["source"] for p in predictions})
    errors = Counter(p["error"] for p in predictions if p["error"])
    return {
        **_tally(predictions),
        "loss": None if loss is None else round(loss, 6),
        "by_source": {s: _tally([p for p in predictions if p["source"] == s]) for s in sources},
        "errors": dict(sorted(errors.items())),
    }


def _tally(predictions: Sequence[Prediction]) -> Tally:
    right = [p["correct"] for p in predictions if p["correct"] is not None]
    accuracy = round(sum(right) / len(right), 6) if right else None
    return {"n": len(predictions), "graded": len(right), "accuracy": accuracy}


def as_markdown(metrics: Metrics) -> str:
    """A table by source with the total below, then loss and errors."""
    cells = [[_escape(name), str(t["n"]), str(t["graded"]), _percent(t["accuracy"])] for name, t in _lines(metrics)]
    table = [["source", "rows", "graded", "accuracy"], ["---", "---:", "---:", "---:"], *cells]
    errors = ", ".join(f"{kind} {n}" for kind, n in metrics["errors"].items()) or "none"
    loss = "–" if metrics["loss"] is None else f"{metrics['loss']:.4f} nats per label token"
    lines = ["# Evaluation", "", *(f"| {' | '.join(row)} |" for row in table), "", f"Loss: {loss}. Errors: {errors}."]
    return "\n".join(lines) + "\n"


def csv_rows(metrics: Metrics) -> list[list[Any]]:
    """Header, a row per source and the total; empty where a number is not known."""
    loss = {"all": metrics["loss"]}
    rows = [[name, t["n"], t["graded"], t["accuracy"], loss.get(name)] for name, t in _lines(metrics)]
    return [["source", "n", "graded", "accuracy", "loss"], *rows]


def _lines(metrics: Metrics) -> list[tuple[str, Tally]]:
    return [*metrics["by_source"].items(), ("all", metrics)]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
