"""`sluice bench`: every signal under every rule against random choices, on the user's own data and model."""

from __future__ import annotations

import argparse
from pathlib import Path

from sluicegate.verbs.base import Verb
from sluicegate.verbs.walk import add_walk_options, take_walk_options, walk


class Bench(Verb):
    """Writes the recipe's `bench` out in steps, which are walked like any others: what stands is not made again."""

    name = "bench"
    help = "run a recipe's bake-off: which signal and rule beat a random choice, and at what cost"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("recipe", help="a packaged recipe with a bake-off (sluice ls recipes) or a path to a .yaml")
        add_walk_options(parser, "bench.key=value, step.key=value or vars.name=value")

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.bake_off import expand
        from sluicegate.config import load_recipe

        overrides = take_walk_options(args, Path("runs") / Path(args.recipe).stem)
        walk(args, expand(load_recipe(args.recipe, overrides)))
