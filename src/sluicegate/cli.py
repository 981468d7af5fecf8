"""`sluice`: a thin face over the pipeline; every stage is a verb."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sluicegate.errors import ArtifactError, SluiceError

DEFAULT_OUT = "runs/latest"
LISTS = ("stages", "signals", "rules", "corruptions", "recipes", "runs", "artifacts")


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit code of `errors.py` (130 when interrupted)."""
    args = _parser().parse_args(argv)
    try:
        args.do(args)
    except SluiceError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    except KeyboardInterrupt:
        print("interrupted: finished steps stand; the same command goes on from there", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    from sluicegate import __version__
    from sluicegate.registry import STAGES

    parser = argparse.ArgumentParser(
        prog="sluice", description="Which of my data is worth training on? Score, select, train, evaluate, report."
    )
    parser.add_argument("--version", action="version", version=f"sluice {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    run = _verb(verbs, "run", _run, "run a recipe; steps that stand are skipped")
    run.add_argument("recipe", help="a packaged recipe (sluice ls recipes) or a path to a .yaml")
    _run_options(run, "step.key=value or vars.name=value")
    for name in STAGES.names():
        stage = _verb(verbs, name, _stage_verb, f"the {name} stage alone (its keys: sluice docs {name})")
        stage.set_defaults(stage=name)
        _run_options(stage, "input=FILE-or-ARTIFACT, key=value, out=DIR")

    ls = _verb(verbs, "ls", _ls, f"list {', '.join(LISTS)}")
    ls.add_argument("what", nargs="?", choices=LISTS, default=None)
    show = _verb(verbs, "show", _show, "an artifact: its numbers, its files, its ancestors")
    show.add_argument("artifact", help="an id, or a step's name of the last run in --out")
    verify = _verb(verbs, "verify", _verify, "check that no file of an artifact was changed after it was made")
    verify.add_argument("artifact", nargs="*", help="ids or step names; all when left out")
    for verb in (ls, show, verify):
        verb.add_argument("--out", type=Path, default=Path(DEFAULT_OUT), help=f"the run's folder ({DEFAULT_OUT})")
    docs = _verb(verbs, "docs", _docs, "the reference of every config key")
    docs.add_argument("stage", nargs="?", help="one stage, signal or rule only")
    return parser


def _verb(verbs: Any, name: str, do: Any, help_text: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(do=do)
    return parser


def _run_options(parser: argparse.ArgumentParser, form: str) -> None:
    parser.add_argument("overrides", nargs="*", help=form)
    parser.add_argument("--out", type=Path, help="the run's folder (default: runs/<recipe> or runs/latest)")
    plan_help = "print the plan: what stands, what would be made; make nothing"
    parser.add_argument("--dry-run", action="store_true", help=plan_help)


def _run(args: argparse.Namespace) -> None:
    from sluicegate.config import load_recipe

    out, overrides = _out(args.overrides, args.out, Path("runs") / Path(args.recipe).stem)
    _go(load_recipe(args.recipe, overrides), out, args.dry_run)


def _stage_verb(args: argparse.Namespace) -> None:
    from sluicegate.config import parse_overrides

    out, overrides = _out(args.overrides, args.out, Path(DEFAULT_OUT))
    step = {**_last_artifacts(args.stage, out), **parse_overrides(overrides), "stage": args.stage}
    _go({"vars": {}, "steps": {args.stage: step}}, out, args.dry_run)


def _last_artifacts(stage: str, out: Path) -> dict[str, str]:
    return {}


def _out(overrides: list[str], flag: Path | None, default: Path) -> tuple[Path, list[str]]:
    """`out=DIR` among the overrides is `--out DIR`."""
    given = [o for o in overrides if o.startswith("out=")]
    rest = [o for o in overrides if not o.startswith("out=")]
    return (Path(given[-1].removeprefix("out=")) if given else flag or default), rest


def _go(recipe: dict[str, Any], out: Path, dry_run: bool) -> None:
    from sluicegate.pipeline import plan, run

    if dry_run:
        _print_plan(plan(recipe, out))
    else:
        run(recipe, out)


def _print_plan(todo: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table("step", "stage", "state", "artifact", "estimate", box=None)
    for step in todo.steps.values():
        stands = todo.store.has(step.artifact_id)
        known = todo.store.open(step.artifact_id).stats if stands else step.stage.estimate(step.config)
        numbers = {k: v for k, v in known.items() if k in ("rows", "kept", "tokens", "label_tokens", "steps")}
        told = ", ".join(f"{v:,} {k.replace('_', ' ')}" for k, v in numbers.items() if isinstance(v, int))
        shown.add_row(step.name, step.stage.name, "have" if stands else "make", step.artifact_id, told)
    Console(highlight=False).print(shown)


def _ls(args: argparse.Namespace) -> None:
    for what in [args.what] if args.what else LISTS[:5]:
        names = _names(what, args.out)
        print("\n".join(names) if args.what else f"{what}: {', '.join(names)}")


def _names(what: str, out: Path) -> list[str]:
    from sluicegate import registry
    from sluicegate.artifacts import Store
    from sluicegate.config import recipe_names

    if what == "recipes":
        return recipe_names()
    if what == "runs":
        return sorted(str(p.parent) for p in Path("runs").glob("*/lock.json"))
    if what == "artifacts":
        return Store(out / "artifacts").ids()
    return getattr(registry, what.upper()).names()


def _show(args: argparse.Namespace) -> None:
    from sluicegate.artifacts import Store

    store = Store(args.out / "artifacts")
    found = store.open(_artifact_id(args.artifact, args.out))
    m = found.manifest
    print(f"{found.id}  {m['stage']}  made {m['made']['at']} in {m['made']['seconds']} s\n{found.path}\n\nstats")
    _print_tree(m["stats"])
    print("config")
    _print_tree(m["config"])
    print("files")
    _print_tree({e["path"]: f"{e['bytes']:,} bytes" for e in m["files"]})
    print("ancestors, oldest first")
    stages = {i: store.open(i).manifest["stage"] if store.has(i) else "from outside" for i in store.lineage(found.id)}
    _print_tree(stages)


def _print_tree(tree: dict[str, Any], indent: str = "  ") -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            print(f"{indent}{key}")
            _print_tree(value, indent + "  ")
        else:
            text = str(value)
            print(f"{indent}{key}: {text if len(text) < 200 else text[:200] + '…'}")


def _verify(args: argparse.Namespace) -> None:
    from sluicegate.artifacts import Store

    store = Store(args.out / "artifacts")
    ids = [_artifact_id(a, args.out) for a in args.artifact] or store.ids()
    if not ids:
        raise ArtifactError(f"no artifacts in {store.root}", "name the run's folder with --out DIR")
    for artifact_id in ids:
        store.verify(artifact_id)
        print(f"{artifact_id}  whole")


def _artifact_id(name: str, out: Path) -> str:
    """An id as it is; a step's name by the lock of the last run; a path by its last part."""
    from sluicegate.pipeline import load_lock

    return load_lock(out).get(name) or Path(name).name


def _docs(args: argparse.Namespace) -> None:
    from sluicegate.reference import reference

    print(reference(args.stage))
