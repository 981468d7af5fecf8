"""`sluice report`: evaluations side by side, named in plain words; or a page that lists the reports of all runs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sluicegate.errors import ArtifactError, ConfigError
from sluicegate.reporting.index import RUNS, write_index
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import DEFAULT_OUT, find, newest
from sluicegate.verbs.walk import add_walk_options, take_walk_options, walk

LONGEST = 120
"""Characters of a step's name, which is a file's too."""


class Report(Verb):
    """The stage of this name, with plain words for its arms: `sluice report BASE OTHER` beside `arms.NAME=[STEP]`."""

    name = "report"
    help = "put evaluations side by side, the first as the baseline (its keys: sluice docs report)"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        words = "an evaluation (step, id or folder) for each arm, * for the seeds of one"
        add_walk_options(parser, f"{words}; key=value; out=DIR")
        parser.add_argument("--index", action="store_true", help="list the reports of all runs on a page in runs/")

    def do(self, args: argparse.Namespace) -> None:
        if args.index:
            print(_index())
            return
        from sluicegate.config import parse_overrides
        from sluicegate.pipeline import load_lock

        words = [item for item in args.overrides if "=" not in item]
        keys = [item for item in take_walk_options(args, None) if "=" in item]
        given, args.out = args.out, args.out or (newest() if words else Path(DEFAULT_OUT))
        lock = load_lock(args.out)
        step, spec = in_words(words, given, lock) if words else (self.name, {})
        walk(args, {"vars": {}, "steps": {step: {**spec, **parse_overrides(keys), "stage": self.name}}}, lock)


def in_words(words: Sequence[str], given: Path | None, lock: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """A step that compares evaluations with the first of them: its name and its keys.

    Args:
        given: the run that is meant; None for the newest.
        lock: the ids of its artifacts by their steps.
    """
    names = arm_names(words, lock)
    arms = {name: [_value(word, given, lock)] for name, word in zip(names, words, strict=True)}
    first, *others = names
    title = f"{', '.join(others)} against {first}" if others else first
    step = re.sub(r"[^\w.-]+", "-", "-".join(["report", *names]))[:LONGEST]
    return step, {"arms": arms, "against": first, "title": title}


def arm_names(words: Sequence[str], lock: Mapping[str, str]) -> list[str]:
    """What to call arms: by their steps as far as those tell them apart, else by the words themselves.

    Raises:
        ConfigError: two words are the same.
    """
    if twice := {word for word in words if words.count(word) > 1}:
        raise ConfigError(f"{min(twice)} is named twice", "name every evaluation once")
    steps = {artifact_id: step for step, artifact_id in lock.items()}
    ends = [Path(word).name for word in words]
    names = [steps.get(end, end).rstrip("*").rstrip("-_.") or end for end in ends]
    return names if len(set(names)) == len(names) else list(words)


def _value(word: str, given: Path | None, lock: Mapping[str, str]) -> str:
    """An evaluation, or all those that a pattern names, as a recipe names them."""
    return word if word in lock or "*" in word else str(find(word, given).path)


def _index() -> Path:
    if not Path(RUNS).is_dir():
        raise ArtifactError(f"no folder {RUNS} here", "go to where `sluice run` was called")
    return write_index(Path(RUNS))
