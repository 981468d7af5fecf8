"""The worlds the figures are taken on, and how the demo's recipe is run on one of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sluicegate.artifacts import Artifact
from sluicegate.config import load_recipe
from sluicegate.pipeline import run

TUNED = {"world": 0, "lexicon": "one"}
"""Settings were chosen on it."""
FRESH = {"world": 11, "lexicon": "three"}
"""Other knowledge, vocabulary and phrasings; nothing was ever chosen on it, nor on anything that shares its words."""
QUICK = ["base.steps=300", "vars.seeds=[0]"]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """What every benchmark understands."""
    found = argparse.ArgumentParser(description=doc)
    found.add_argument("--quick", action="store_true", help="a smaller run that shows the script works; no evidence")
    return found


def arguments(doc: str | None) -> argparse.Namespace:
    """`--quick`, and `--out` for the folder of the runs."""
    found = parser(doc)
    found.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="where the runs stand")
    return found.parse_args()


def walk(world: dict[str, Any], seeds: int, args: argparse.Namespace, until: str = "report") -> dict[str, Artifact]:
    """The demo's recipe on a world, up to the step `until`: step name to artifact; what stands is not made again."""
    overrides = [f"vars.{name}={value}" for name, value in world.items()] + [f"vars.seeds={list(range(seeds))}"]
    recipe = load_recipe("demo", overrides + (QUICK if args.quick else []))
    names = list(recipe["steps"])
    recipe["steps"] = {name: recipe["steps"][name] for name in names[: names.index(until) + 1]}
    return run(recipe, args.out / f"world-{world['world']}-{world['lexicon']}")
