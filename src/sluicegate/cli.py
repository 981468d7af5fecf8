"""`sluice`: a thin face over the pipeline; every stage is a verb."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluicegate.artifacts import MANIFEST, Artifact, Store, storage_errors
from sluicegate.errors import ArtifactError, CheckFailed, SluiceError
from sluicegate.registry import did_you_mean
from sluicegate.runtime import log_failure

DEFAULT_OUT = "runs/latest"
LISTS = ("stages", "signals", "rules", "corruptions", "recipes", "runs", "artifacts")
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one verb; returns the exit code of `errors.py`, 1 for a bug, 130 when interrupted.

    What goes wrong is told in one sentence and a hint; the traceback is in the run's log, and on the screen with
    `--debug`.
    """
    debug = "--debug" in (sys.argv if argv is None else argv)
    try:
        args = _parse(argv)
        with storage_errors(Path.cwd()), _interruptible():
            args.do(args)
    except SluiceError as err:
        log_failure(err)
        return _fail(str(err), err.exit_code, debug)
    except KeyboardInterrupt:
        return _fail("interrupted\nhint: finished steps stand; the same command goes on from there", INTERRUPTED, debug)
    except Exception as err:  # a bug of ours or of a plug-in
        log = log_failure(err)
        where = f"the traceback is in {log}" if log else "the same command with --debug shows the traceback"
        return _fail(f"unexpected {type(err).__name__}: {' '.join(str(err).split())}\nhint: {where}", 1, debug)
    return 0


def _fail(text: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"error: {text}", file=sys.stderr)
    return code


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM, with which schedulers end a job, is Ctrl-C: what is half done goes away, what resumes stays."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    """The arguments; overrides may stand before, behind and between the options."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest and ("overrides" not in args or any(item.startswith("-") for item in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        args.overrides += rest
    return args


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
        _run_options(stage, "input=FILE, STEP or ARTIFACT; key=value; out=DIR")

    ls = _verb(verbs, "ls", _ls, f"list {', '.join(LISTS)}")
    ls.add_argument("what", nargs="?", choices=LISTS, default=None)
    show = _verb(verbs, "show", _show, "an artifact: its numbers, its files, its ancestors")
    show.add_argument("artifact", help="its id (of any run), its folder, or a step's name of the run in --out")
    verify = _verb(verbs, "verify", _verify, "check that no file of an artifact was changed after it was made")
    verify.add_argument("artifact", nargs="*", help="ids, folders or steps; all of --out when left out")
    for verb in (ls, show, verify):
        verb.add_argument("--out", type=Path, help="the run's folder (default: the newest in runs/)")
    docs = _verb(verbs, "docs", _docs, "the reference of every config key")
    docs.add_argument("stage", nargs="?", help="one stage, signal or rule only")
    return parser


def _verb(verbs: Any, name: str, do: Any, help_text: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(do=do)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _run_options(parser: argparse.ArgumentParser, form: str) -> None:
    parser.add_argument("overrides", nargs="*", help=form)
    parser.add_argument("--out", type=Path, help="the run's folder (default: runs/<recipe> or runs/latest)")
    plan_help = "print the plan: what stands, what would be made; make nothing"
    parser.add_argument("--dry-run", action="store_true", help=plan_help)


def _run(args: argparse.Namespace) -> None:
    from sluicegate.config import load_recipe

    out, overrides = _out(args.overrides, args.out, Path("runs") / Path(args.recipe).stem)
    _go(load_recipe(args.recipe, overrides), out, None, args.dry_run)


def _stage_verb(args: argparse.Namespace) -> None:
    """One step, named as its stage; its inputs may be steps of what ran in the same folder before."""
    from sluicegate.config import parse_overrides
    from sluicegate.pipeline import load_lock

    out, overrides = _out(args.overrides, args.out, Path(DEFAULT_OUT))
    step = {**parse_overrides(overrides), "stage": args.stage}
    _go({"vars": {}, "steps": {args.stage: step}}, out, load_lock(out), args.dry_run)


def _out(overrides: list[str], flag: Path | None, default: Path) -> tuple[Path, list[str]]:
    """`out=DIR` among the overrides is `--out DIR`."""
    given = [o for o in overrides if o.startswith("out=")]
    rest = [o for o in overrides if not o.startswith("out=")]
    return (Path(given[-1].removeprefix("out=")) if given else flag or default), rest


def _go(recipe: dict[str, Any], out: Path, named: dict[str, str] | None, dry_run: bool) -> None:
    from sluicegate.pipeline import plan, run

    if dry_run:
        _print_plan(plan(recipe, out, named))
    else:
        run(recipe, out, named)


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


def _ls(args: argparse.Namespace) -> None:
    for what in [args.what] if args.what else LISTS[:5]:
        names = _names(what, args.out)
        print("\n".join(names) if args.what else f"{what}: {', '.join(names)}")


def _names(what: str, out: Path | None) -> list[str]:
    from sluicegate import registry
    from sluicegate.config import recipe_names

    if what == "recipes":
        return recipe_names()
    if what == "runs":
        return sorted(map(str, _runs()))
    if what == "artifacts":
        return Store((out or _newest()) / "artifacts").ids()
    return getattr(registry, what.upper()).names()


def _show(args: argparse.Namespace) -> None:
    found = _find(args.artifact, args.out)
    m, store = found.manifest, Store(found.path.parent)
    print(f"{found.id}  {m['stage']}  made {m['made']['at']} in {m['made']['seconds']} s\n{found.path}\n\nstats")
    _print_tree(m["stats"])
    print("config")
    _print_tree(m["config"])
    print("files")
    _print_tree({e["path"]: f"{e['bytes']:,} bytes" for e in m["files"]})
    print("ancestors, oldest first")
    stages = {
        i: store.open(i).manifest["stage"] if store.has(i) else "not of this run" for i in store.lineage(found.id)
    }
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
    """A line per artifact; all are looked at before the verdict."""
    store = Store((args.out or _newest()) / "artifacts")
    asked = [_find(name, args.out) for name in args.artifact] or [store.open(i) for i in store.ids()]
    if not asked:
        raise ArtifactError(f"no artifacts in {store.root}", _other_runs())
    broken = []
    for artifact in asked:
        try:
            artifact.verify()
            print(f"{artifact.id}  whole")
        except ArtifactError as err:
            print(f"{artifact.id}  broken: {err.message}")
            broken.append(err)
    if broken:
        raise CheckFailed(f"{len(broken)} of {len(asked)} artifacts are not as they were made", broken[0].hint)


def _runs() -> list[Path]:
    """The folders in `runs/` that something was made in, the newest last."""
    locks = sorted(Path("runs").glob("*/lock.json"), key=lambda lock: lock.stat().st_mtime_ns)
    return [lock.parent for lock in locks]


def _newest() -> Path:
    return [Path(DEFAULT_OUT), *_runs()][-1]


def _other_runs() -> str:
    runs = ", ".join(sorted(map(str, _runs()))) or "none in runs/"
    return f"name the run's folder with --out DIR; runs: {runs}"


def _find(name: str, given: Path | None) -> Artifact:
    """An artifact by its folder, its id, or the name of its step in what ran in the folder last.

    Without a folder given, a step is one of the newest run, and an id may be of any.
    """
    from sluicegate.pipeline import load_lock

    if (Path(name) / MANIFEST).is_file():
        folder = Path(name).resolve()
        return Store(folder.parent).open(folder.name)
    out = given or _newest()
    lock = load_lock(out)
    stores = [Store(folder / "artifacts") for folder in ([out] if given else [out, *_runs()])]
    artifact_id = lock.get(name, name)
    for store in stores:
        if store.has(artifact_id):
            return store.open(artifact_id)
    hint = did_you_mean(name, [*lock, *stores[0].ids()]) or _other_runs()
    raise ArtifactError(f"no artifact and no step '{name}' in {out}", hint)


def _docs(args: argparse.Namespace) -> None:
    from sluicegate.reference import reference

    print(reference(args.stage))
