"""`sluice inspect`: what gate and model said of every token of a response."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate.artifacts import Artifact, Store
from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find, newest, other_runs

if TYPE_CHECKING:
    from sluicegate.reporting.sample import Sample

MOST_NAMED = 5
"""Ids named in a hint."""


class Inspect(Verb):
    """One record or a few, on the terminal and as a page."""

    name = "inspect"
    help = "a scored record token by token: a line per layer on the terminal, a heat map as HTML"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="?", help="a record's id, or a beginning that no other has")
        which.add_argument("--worst", type=int, metavar="N", help="the N records with the lowest score")
        which.add_argument("--best", type=int, metavar="N", help="the N records with the highest score")
        parser.add_argument("--by", default="gate", help="the signal that --worst and --best go by (default: gate)")
        parser.add_argument("--scores", help="a step, id or folder (default: the last scores of the run with tokens)")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write the heat map here too")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        scores = find(args.scores, args.out) if args.scores else _last_scores(args.out or newest())
        samples = _samples(scores, _asked(scores, args))
        _print(samples)
        if args.html:
            from sluicegate.reporting.heat_map import render

            args.html.parent.mkdir(parents=True, exist_ok=True)
            args.html.write_text(render(samples, scores.id), encoding="utf-8")
            print(f"\n{args.html}")


def _last_scores(out: Path) -> Artifact:
    """What the run scored last, tables with numbers per token first."""
    from sluicegate.pipeline import load_lock

    store = Store(out / "artifacts")
    made = [store.open(i) for i in load_lock(out).values() if i.startswith("scores-") and store.has(i)]
    if not made:
        raise ArtifactError(f"no scores in {out}", other_runs())
    return max(reversed(made), key=lambda scores: "nll" in scores.columns("scores"))


def _asked(scores: Artifact, args: argparse.Namespace) -> list[str]:
    """The ids of the records to show."""
    from sluicegate.scoring.token_scores import check_tokens

    check_tokens(scores)
    if args.id is not None:
        return [_resolve(args.id, scores)]
    most = args.worst if args.best is None else args.best
    if most < 1:
        raise ConfigError(f"{most} records are none", "ask for --worst 3 or --best 3")
    return _ranked(scores, args.by, highest=args.worst is None)[:most]


def _resolve(name: str, scores: Artifact) -> str:
    ids = scores.table("scores", ["id"])["id"].to_pylist()
    found = [name] if name in ids else [i for i in ids if i.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        more = ", …" if len(found) > MOST_NAMED else ""
        hint = f"they are {', '.join(found[:MOST_NAMED])}{more}"
        raise ArtifactError(f"{len(found)} records of {scores.id} begin with '{name}'", hint)
    hint = did_you_mean(name, ids) or "its ids are in scores.head.jsonl, or ask for --worst 3"
    raise ArtifactError(f"no record '{name}' in {scores.id}", hint)


def _ranked(scores: Artifact, signal: str, highest: bool) -> list[str]:
    """The ids of the records that have a score."""
    import numpy as np

    from sluicegate.reporting.scores import read_scores

    table = read_scores(scores)
    if signal not in table.signals:
        raise ConfigError(f"{scores.id} has no signal '{signal}'", f"--by one of {', '.join(table.signals)}")
    column = table.signals[signal]
    order = np.argsort(-column if highest else column, kind="stable")  # those without a score come last
    return [table.ids[n] for n in order if not np.isnan(column[n])]


def _samples(scores: Artifact, ids: Sequence[str]) -> list[Sample]:
    from sluicegate.reporting.sample import read_samples
    from sluicegate.scoring.token_scores import token_scores

    tokens = {row.id: (row.nll, row.gates) for row in token_scores(scores, ids)}
    return read_samples(scores, {i: tokens[i] for i in ids})


def _print(samples: Sequence[Sample]) -> None:
    from rich.console import Console
    from rich.rule import Rule

    from sluicegate.reporting.heat_strip import heat_strip

    console = Console(highlight=False)
    for n, sample in enumerate(samples):
        if n:
            console.print(Rule())
        console.print(heat_strip(sample, console.width))
