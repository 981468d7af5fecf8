"""`sluice docs`: the reference of every config key, made from the code."""

from __future__ import annotations

import argparse

from sluicegate.verbs.base import Verb


class Docs(Verb):
    """The same text as docs/config.md, or one part of it."""

    name = "docs"
    help = "the reference of every config key"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("stage", nargs="?", help="one stage, signal or rule only")

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.reference import reference

        print(reference(args.stage))
