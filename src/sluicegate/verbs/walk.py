"""What all verbs share that walk the steps of a recipe: their options, the walk itself, and its plan."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add_walk_options(parser: argparse.ArgumentParser, form: str) -> None:
    """Overrides, of the given form, and where and how to walk."""
    parser.add_argument("overrides", nargs="*", help=form)
    parser.add_argument("--out", type=Path, help="the run's folder (default: runs/<recipe> or runs/latest)")
    plan_help = "print the plan: what stands, what would be made; make nothing"
    parser.add_argument("--dry-run", action="store_true", help=plan_help)
    go_on = "a step that fails takes with it only the steps that need it; all are told at the end"
    parser.add_argument("--continue-on-error", action="store_true", help=go_on)


def take_walk_options(args: argparse.Namespace, default: Path | None) -> list[str]:
    """The overrides without `out=DIR` and `continue_on_error=true`, which are the options of these names."""
    from sluicegate.config import parse_overrides

    mine = [o for o in args.overrides if o.partition("=")[0] in ("out", "continue_on_error")]
    given = parse_overrides(mine)
    args.out = Path(str(given["out"])) if "out" in given else args.out or default
    args.continue_on_error |= given.get("continue_on_error") is True
    return [o for o in args.overrides if o not in mine]


def walk(args: argparse.Namespace, recipe: Mapping[str, Any], named: Mapping[str, str] | None = None) -> None:
    """Make what the recipe says, or print its plan."""
    from sluicegate.pipeline import run
    from sluicegate.planning import plan

    if args.dry_run:
        _print_plan(plan(recipe, args.out, named))
    else:
        run(recipe, args.out, named, args.continue_on_error)


def _print_plan(todo: Any) -> None:
    """A line per step: what stands with its numbers, what would be made with those that can be told beforehand."""
    rows, sizes = [], {i: found.stats for i, found in todo.outside.items()}
    for step in todo.steps.values():
        stands = todo.store.has(step.artifact_id)
        told = step.stage.estimate(step.config, {wire: sizes.get(i, {}) for wire, i in step.inputs.items()})
        sizes[step.artifact_id] = told
        told = todo.store.open(step.artifact_id).stats if stands else told
        rows.append((step.name, step.stage.name, "have" if stands else "make", step.artifact_id, _sizes(told, stands)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{width}s}" for cell, width in zip(row, widths, strict=True)).rstrip())
    stand = sum(row[2] == "have" for row in rows)
    print(f"{stand} have, {len(rows) - stand} to make in {todo.store.root}")


def _sizes(known: dict[str, Any], exact: bool) -> str:
    numbers = {k: v for k, v in known.items() if v and k in ("rows", "kept", "tokens", "label_tokens", "steps")}
    told = ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in numbers.items())
    return told if exact or not told else f"about {told}"
