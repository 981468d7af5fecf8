"""`sluice ls`: what there is to name."""

from __future__ import annotations

import argparse
from pathlib import Path

from sluicegate import registry
from sluicegate.artifacts import Store
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, newest, runs

LISTS = ("stages", "signals", "rules", "corruptions", "recipes", "runs", "artifacts")
ALWAYS = LISTS[:5]


class Ls(Verb):
    """Names only: it imports none of the things it lists."""

    name = "ls"
    help = f"list {', '.join(LISTS)}"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("what", nargs="?", choices=LISTS, default=None)
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        for what in [args.what] if args.what else ALWAYS:
            names = _names(what, args.out)
            print("\n".join(names) if args.what else f"{what}: {', '.join(names)}")


def _names(what: str, out: Path | None) -> list[str]:
    from sluicegate.config import recipe_names

    if what == "recipes":
        return recipe_names()
    if what == "runs":
        return sorted(map(str, runs()))
    if what == "artifacts":
        return Store((out or newest()) / "artifacts").ids()
    return getattr(registry, what.upper()).names()
