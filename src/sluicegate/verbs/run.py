"""`sluice run`: walk a recipe; steps that stand are skipped."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sluicegate.errors import ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.verbs.base import Verb
from sluicegate.verbs.walk import add_walk_options, take_walk_options, walk


class Run(Verb):
    """Leaves its artifacts in `runs/<recipe>`."""

    name = "run"
    help = "run a recipe; steps that stand are skipped"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("recipe", help="a packaged recipe (sluice ls recipes) or a path to a .yaml")
        parser.add_argument("--only", metavar="STEP", help="this step alone, from what stands of the others")
        add_walk_options(parser, "step.key=value or vars.name=value")

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.config import load_recipe
        from sluicegate.pipeline import load_lock

        overrides = take_walk_options(args, Path("runs") / Path(args.recipe).stem)
        recipe = load_recipe(args.recipe, overrides)
        if "bench" in recipe:
            raise ConfigError(f"recipe {args.recipe} is a bake-off", f"sluice bench {args.recipe}")
        if args.only:
            walk(args, _just(recipe, args.only), load_lock(args.out))
        else:
            walk(args, recipe)


def _just(recipe: dict[str, Any], step: str) -> dict[str, Any]:
    if step not in recipe["steps"]:
        hint = did_you_mean(step, recipe["steps"]) or f"its steps: {', '.join(recipe['steps'])}"
        raise ConfigError(f"the recipe has no step '{step}'", hint)
    return {**recipe, "steps": {step: recipe["steps"][step]}}
