"""`sluice`: a thin face over the pipeline. Its words are those of `verbs`, `run` among them, and every stage."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluicegate import registry
from sluicegate.artifacts import storage_errors
from sluicegate.errors import ConfigError, MissingError, SluiceError
from sluicegate.peers import tell_failure
from sluicegate.runtime import log_failure
from sluicegate.verbs.find import DEFAULT_OUT
from sluicegate.verbs.walk import add_walk_options, take_walk_options, walk

INTERRUPTED = 130
SCATTERED = ("overrides", "words")
"""Names of arguments of which there may be any number."""


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
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read on, `head` for one, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SluiceError as err:
        log_failure(err)
        return _fail(err, err.exit_code, debug)
    except KeyboardInterrupt:
        told = SluiceError("interrupted", "finished steps stand; the same command goes on from there")
        return _fail(told, INTERRUPTED, debug)
    except Exception as err:  # a bug of ours or of a plug-in
        log = log_failure(err)
        where = f"the traceback is in {log}" if log else "the same command with --debug shows the traceback"
        told = SluiceError(f"unexpected {type(err).__name__}: {' '.join(str(err).split())}", where)
        return _fail(told, told.exit_code, debug)
    return 0


def _fail(err: SluiceError, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    tell_failure(err)
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
    """The arguments; those of `SCATTERED` may stand before, behind and between the options."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if "do" not in args:
        parser.print_help()
        parser.exit(ConfigError.exit_code)
    many = next((name for name in SCATTERED if name in args), None)
    if rest and (many is None or any(item.startswith("-") for item in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if many and rest:
        setattr(args, many, [*getattr(args, many), *rest])
    return args


def _parser() -> argparse.ArgumentParser:
    from sluicegate import __version__

    parser = argparse.ArgumentParser(
        prog="sluice", description="Which of my data is worth training on? Score, select, train, evaluate, report."
    )
    parser.add_argument("--version", action="version", version=f"sluice {__version__}")
    verbs = parser.add_subparsers(metavar="VERB")

    words = registry.VERBS.names()
    for name in words:
        _add_verb(verbs, name)
    for name in (stage for stage in registry.STAGES.names() if stage not in words):  # a verb may speak for its stage
        stage = _verb(verbs, name, _stage_verb, f"the {name} stage alone (its keys: sluice docs {name})")
        stage.set_defaults(stage=name)
        add_walk_options(stage, "input=FILE, STEP or ARTIFACT; key=value; out=DIR")
    return parser


def _add_verb(verbs: Any, name: str) -> None:
    """One of `verbs`; where a plug-in's cannot be loaded, its word says so, and all others go on."""
    try:
        one = registry.VERBS.get(name)()
    except MissingError as err:
        broken = err  # the name of an except clause is gone behind it

        def refuse(args: argparse.Namespace) -> None:
            raise broken

        _verb(verbs, name, refuse, "cannot be loaded")
        return
    one.arguments(_verb(verbs, name, one.do, one.help))


def _verb(verbs: Any, name: str, do: Any, help_text: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(do=do)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _stage_verb(args: argparse.Namespace) -> None:
    """One step, named as its stage; its inputs may be steps of what ran in the same folder before."""
    from sluicegate.config import parse_overrides
    from sluicegate.pipeline import load_lock

    overrides = take_walk_options(args, Path(DEFAULT_OUT))
    spec = {**parse_overrides(overrides), "stage": args.stage}
    walk(args, {"vars": {}, "steps": _one_each(args.stage, spec)}, load_lock(args.out))


def _rows_of(files: list[Any], kind: str) -> dict[str, Any]:
    """The step that makes one table of several raw files."""
    return {"stage": "prepare", "make": kind, "sources": [{"path": str(file)} for file in files]}


def _one_each(stage: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The step a verb asks for; a list where one artifact goes in, as `data=[a.jsonl, b.jsonl]`, asks for one each, or
    for a table of them all where the stage `joins` its rows."""
    takes = registry.STAGES.get(stage)
    single = [wire for wire in {**takes.takes, **takes.may_take} if wire not in takes.grouped]
    lists = [wire for wire in single if isinstance(spec.get(wire), list)]
    if joined := [wire for wire in lists if wire in takes.joins]:
        together = {f"{stage}-{wire}": _rows_of(spec[wire], takes.takes[wire]) for wire in joined}
        return {**together, **_one_each(stage, {**spec, **{wire: f"{stage}-{wire}" for wire in joined}})}
    if not lists:
        return {stage: spec}
    if len(lists) > 1:
        raise ConfigError(f"{stage} got lists for {' and '.join(lists)}", "name one artifact for all but one of them")
    (wire,) = lists
    names = [f"{stage}-{Path(str(value)).stem}" for value in spec[wire]]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(
            f"{wire} gives two steps the name {min(twice)}", "give the files other names, or two commands"
        )
    return {name: {**spec, wire: value} for name, value in zip(names, spec[wire], strict=True)}
