"""`sluice ls`: what there is to name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from sluicegate import registry
from sluicegate.artifacts import Store
from sluicegate.errors import ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, newest, runs

LISTS = (
    *("stages", "signals", "rules", "corruptions", "cleaners", "shapes", "presets", "tasks", "verbs", "recipes"),
    *("runs", "artifacts"),
)
ALWAYS = LISTS[:-2]


class Ls(Verb):
    """Names only: it imports none of the things it lists."""

    name = "ls"
    help = f"list {', '.join(LISTS)}"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        told = "one of these, or a run's folder for its artifacts (default: all but the last two)"
        parser.add_argument("what", nargs="?", default=None, help=told)
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        if args.what and args.what not in LISTS:
            args.what, args.out = "artifacts", _run(args.what)
        for what in [args.what] if args.what else ALWAYS:
            names = _names(what, args.out)
            print("\n".join(names) if args.what else f"{what}: {', '.join(names)}")


def _run(folder: str) -> Path:
    """A run's folder, where a list was to be named."""
    if not (Path(folder) / "artifacts").is_dir():
        hint = did_you_mean(folder, LISTS) or f"the lists are {', '.join(LISTS)}"
        raise ConfigError(f"{folder!r} is neither a list nor a run's folder", hint)
    return Path(folder)


def _artifacts(run: Path) -> Iterator[str]:
    """A line for each: id, stage, when it was made, the step that it is now; oldest first."""
    from sluicegate.pipeline import load_lock

    store, step = Store(run / "artifacts"), {i: name for name, i in load_lock(run).items()}
    for artifact_id in store.ids():
        m = store.open(artifact_id).manifest
        rows = f"{m['stats']['rows']:,} rows" if "rows" in m["stats"] else ""
        line = f"{artifact_id:24s}  {m['stage']:9s}  {m['made']['at']}  {step.get(artifact_id, ''):16s}  {rows}"
        yield line.rstrip()


def _names(what: str, out: Path | None) -> list[str]:
    from sluicegate.config import recipe_names
    from sluicegate.data.presets import PRESETS
    from sluicegate.evaluation.task import tasks

    if what == "recipes":
        return recipe_names()
    if what == "presets":
        return list(PRESETS)
    if what == "tasks":
        return tasks()
    if what == "runs":
        return sorted(map(str, runs()))
    if what == "artifacts":
        return list(_artifacts(out or newest()))
    return getattr(registry, what.upper()).names()
