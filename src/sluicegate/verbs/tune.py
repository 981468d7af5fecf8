"""`sluice tune`: walk a recipe under many settings in one folder, and say which came out best."""

from __future__ import annotations

import argparse
import csv
import fcntl
import fnmatch
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.errors import ArtifactError, CheckFailed, ConfigError, SluiceError, StorageError
from sluicegate.verbs.base import Verb
from sluicegate.verbs.walk import add_walk_options, take_walk_options, walk

if TYPE_CHECKING:
    from sluicegate.artifacts import Artifact
    from sluicegate.planning import Plan
    from sluicegate.search.settings import Search
    from sluicegate.search.study import Study, Told, Try

FOLDER = "study"
"""In the folder of the run: the trials as Optuna keeps them, as a table and as a page."""
TABLE, PAGE = "trials.csv", "trials.html"


class Tune(Verb):
    """Trials share what they have in common, by fingerprint; a search that was stopped goes on where it was."""

    name = "tune"
    help = "search the keys of a recipe for the settings with the best metric; resumable"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("recipe", help="a packaged recipe with a `tune` block (sluice docs tune) or a path to one")
        add_walk_options(parser, "tune.key=value, step.key=value or vars.name=value")

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.search.study import check_installed

        overrides = take_walk_options(args, Path("runs") / Path(args.recipe).stem)
        found = Trials.of(args.recipe, overrides, args.out)
        found.check()
        if args.dry_run:
            walk(args, found.recipe([]))
            print(f"{found.search.n_trials} trials of {', '.join(found.search.space)} for {found.search.metric}")
            return
        check_installed()
        with _alone(args.out / FOLDER):
            found.run()


@dataclass(frozen=True)
class Trials:
    """A recipe under many settings."""

    name: str
    """Of the recipe."""
    overrides: Sequence[str]
    """What the user set beside it."""
    out: Path
    search: Search

    @classmethod
    def of(cls, name: str, overrides: Sequence[str], out: Path) -> Trials:
        """Those a recipe asks for."""
        from sluicegate.config import load_recipe
        from sluicegate.search.settings import read_search

        recipe = load_recipe(name, [*overrides])
        if "bench" in recipe:
            raise ConfigError(f"recipe {name} is a bake-off", f"sluice bench {name}")
        return cls(name, overrides, out, read_search(recipe))

    def recipe(self, settings: Sequence[str]) -> dict[str, Any]:
        """The recipe under some settings, with the steps alone that the metric hangs on."""
        whole = self._loaded(settings)
        todo = self._planned(whole)
        needed = _behind(todo, self._measured(todo))
        return {"vars": whole["vars"], "steps": {name: body for name, body in whole["steps"].items() if name in needed}}

    def check(self) -> None:
        """Plan the recipe with every choice and both ends of every range, before anything runs.

        Raises:
            ConfigError: a key or a value that its step does not know, or one that the metric does not hang on.
        """
        from sluicegate.runtime import world_size
        from sluicegate.search.settings import override

        if world_size() > 1:
            raise ConfigError("sluice tune is one process", "let its trainings start others: `launch` of their steps")
        if FOLDER in self._loaded([])["steps"]:
            raise ConfigError(f"steps.{FOLDER} has the name of the folder of the trials", "call the step otherwise")
        self._fingerprint([])  # as it is written, it has to be right too
        seen: dict[str, set[str]] = {}
        for key, value in self.search.extremes():
            try:
                seen.setdefault(key, set()).add(self._fingerprint([override(key, value)]))
            except SluiceError as err:
                at = f"tune.space.{key}" if key in self.search.space else "tune.rungs"
                raise type(err)(f"{at}: {err.message}", err.hint) from err
        for key, found in seen.items():
            if len(found) == 1 and len(self._values(key)) > 1:
                raise ConfigError(f"tune: {self.search.metric} does not hang on {key}", "leave it out of the search")

    def run(self) -> None:
        """Try what is left to try; then tell the best, and leave the folder as its walk leaves it.

        Raises:
            CheckFailed: no trial came to its end.
        """
        from sluicegate.runtime import say
        from sluicegate.search.study import Study

        study = Study(self.out / FOLDER, f"{Path(self.name).stem}-{self._name}", self.search)
        while one := study.next():
            say(f"trial {one.trial.number}: {' '.join(self._settings(one.settings))}")
            self._try(one)
            self._write(study)
        best = study.best()
        self._write(study)
        if best is None:
            reason = next((trial.reason for trial in study.told() if trial.reason), "all were left early")
            raise CheckFailed(f"none of {len(study.told())} trials came to its end", f"the first said: {reason}")
        self._walk(self._settings(best.settings))
        self._tell(study, best)

    def _try(self, one: Try) -> None:
        """One trial, rung by rung; what goes wrong in it is written down, unless all that follow would meet it too."""
        from sluicegate.runtime import warn
        from sluicegate.search.settings import override

        settings, rungs = self._settings(one.settings), self.search.rungs
        try:
            for rung in rungs.values[:-1] if rungs else []:
                assert rungs is not None
                if not one.goes_on(rung, self._walk([*settings, override(rungs.key, rung)])):
                    one.pruned()
                    return
            last = [override(rungs.key, rungs.values[-1])] if rungs else []
            value = self._walk([*settings, *last])
            if rungs:
                one.goes_on(rungs.values[-1], value)
            one.whole(value)
        except StorageError:
            raise
        except SluiceError as err:
            reason = str(err.__cause__ or err).partition("\n")[0]
            warn(f"trial {one.trial.number} failed: {reason}")
            one.failed(reason)

    def _walk(self, settings: Sequence[str]) -> float:
        """Make what a setting lacks; its metric."""
        from sluicegate.pipeline import run

        done = run(self.recipe(settings), self.out, continue_on_error=True)
        measured = fnmatch.filter(done, self.search.step)
        return math.fsum(_stat(done[name], self.search.stat) for name in measured) / len(measured)

    def _settings(self, settings: Mapping[str, Any]) -> list[str]:
        from sluicegate.search.settings import override

        return [override(key, value) for key, value in settings.items()]

    # What the metric hangs on

    def _loaded(self, settings: Sequence[str]) -> dict[str, Any]:
        from sluicegate.config import load_recipe

        return load_recipe(self.name, [*self.overrides, *settings])

    def _planned(self, recipe: Mapping[str, Any]) -> Plan:
        from sluicegate.planning import plan

        return plan(recipe, self.out)

    def _measured(self, todo: Plan) -> list[str]:
        """The steps whose numbers are the metric."""
        from sluicegate.registry import did_you_mean

        if found := fnmatch.filter(todo.steps, self.search.step):
            return found
        hint = did_you_mean(self.search.step, todo.steps) or f"steps: {', '.join(todo.steps)}"
        raise ConfigError(f"tune.metric: no step '{self.search.step}' in this recipe", hint)

    def _fingerprint(self, settings: Sequence[str]) -> str:
        """What the metric would be taken from under some settings."""
        todo = self._planned(self._loaded(settings))
        return " ".join(todo.steps[name].artifact_id for name in self._measured(todo))

    @cached_property
    def _name(self) -> str:
        """12 hex digits over the search, but for how long it is, and over the data and the recipe it searches in."""
        import hashlib
        import json

        asked = self.search.model_dump(exclude={"trials"})
        return hashlib.sha256(json.dumps([asked, self._fingerprint([])]).encode()).hexdigest()[:12]

    def _values(self, key: str) -> list[Any]:
        return [value for name, value in self.search.extremes() if name == key]

    # What is told

    def _write(self, study: Study) -> None:
        """The table and the page of all trials so far."""
        from sluicegate.reporting.search_page import page

        trials, best, folder = study.told(), study.best(), self.out / FOLDER
        with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_table(trials, self.search))
        command = self._command(best) if best else ""
        told, number = [asdict(trial) for trial in trials], best.number if best else None
        text = page(self.name, self.search.metric, self.search.better, told, number, command)
        (folder / PAGE).write_text(text, encoding="utf-8")

    def _tell(self, study: Study, best: Told) -> None:
        states = [trial.state for trial in study.told()]
        counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        print(f"best of {len(states)} trials ({counts}): {self.search.metric} {best.value:.6g} in trial {best.number}")
        print(self._command(best))
        print(self.out / FOLDER / PAGE)

    def _command(self, best: Told) -> str:
        """The walk of a trial as the command line of its own."""
        from sluicegate.search.settings import override

        rungs = self.search.rungs
        last = [override(rungs.key, rungs.values[-1])] if rungs else []
        mine = [item for item in self.overrides if not item.startswith("tune.")]
        words = ["sluice", "run", self.name, *mine, *self._settings(best.settings), *last, f"out={self.out}"]
        return shlex.join(words)


def _behind(todo: Plan, measured: Sequence[str]) -> set[str]:
    """The steps that some are made from, directly or not, and those themselves."""
    made = {step.artifact_id: name for name, step in todo.steps.items()}
    left, needed = [*measured], set()
    while left:
        name = left.pop()
        if name not in needed:
            needed.add(name)
            left += [made[i] for i in todo.steps[name].inputs.values() if i in made]
    return needed


def _stat(artifact: Artifact, name: str) -> float:
    """A number of an artifact.

    Raises:
        ArtifactError: it has no such number, or one that is none.
    """
    found: Any = artifact.stats
    for key in name.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, int | float) or not math.isfinite(found):
        known = ", ".join(key for key, value in artifact.stats.items() if isinstance(value, int | float))
        raise ArtifactError(f"{artifact.id} has no number '{name}' ({found})", f"its numbers: {known}")
    return float(found)


def _table(trials: Sequence[Told], search: Search) -> Iterator[list[Any]]:
    """Header, and a row per trial; a rung has a column."""
    from sluicegate.search.settings import spelt

    rungs = search.rungs.values if search.rungs else []
    named = [f"{search.metric} at {search.rungs.key}={rung}" for rung in rungs] if search.rungs else []
    yield ["trial", "state", search.metric, "seconds", *search.space, *named, "reason"]
    for trial in trials:
        settings = [spelt(trial.settings[key]) if key in trial.settings else "" for key in search.space]
        at = [trial.rungs.get(rung) for rung in rungs]
        yield [trial.number, trial.state, trial.value, round(trial.seconds, 1), *settings, *at, trial.reason]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One search at a time: another would take the trials under way for trials that were broken off."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"a search is under way in {folder}", "wait for it, or choose out=DIR") from None
        yield
