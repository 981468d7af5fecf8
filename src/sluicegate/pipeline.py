"""Walk the house: make what a plan says and does not stand yet, step by step, alone or with other processes."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluicegate.artifacts import Artifact, storage_errors, write_json
from sluicegate.config import load_recipe
from sluicegate.errors import ArtifactError, CheckFailed, ConfigError, SluiceError
from sluicegate.peers import agree, launched, meet
from sluicegate.planning import ARTIFACTS, LOCK, LOG, RECIPE, Plan, Step, plan
from sluicegate.reporting.index import RUNS, write_index
from sluicegate.runtime import log_failure, open_log, rank, say, warn, world_size

LAUNCH = "launch"
"""In the log's folder, where processes that were started for a step leave what they print."""


def run(
    recipe: Mapping[str, Any],
    folder: Path,
    named: Mapping[str, str] | None = None,
    continue_on_error: bool = False,
) -> dict[str, Artifact]:
    """Make what the plan says and does not stand yet; returns step name to artifact.

    Writes `recipe.yaml` as resolved, `lock.json` and a link per step into `folder`. An artifact that was changed
    after it was made stops the first step that would read it.

    Args:
        named: ids of artifacts in `folder` by names that the steps may call them, beside each other's.
        continue_on_error: a step that fails takes with it only the steps that need it; all of them are told at the
            end.

    Raises:
        SluiceError: a step failed; with `continue_on_error` the first of them, once the others are done.
    """
    if continue_on_error and world_size() > 1:
        hint = "run it as one process: a step that asks for more by `launch` gets them"
        raise ConfigError(f"continue_on_error: {world_size()} processes end together", hint)
    todo = plan(recipe, folder, named)
    walk = _Walk(todo, folder, max(map(len, todo.steps), default=0))
    with storage_errors(folder):
        open_log(folder / LOG)
        _record_recipe(recipe, folder, beside=named is not None)
        for step in todo.steps.values():
            walk.take(step, continue_on_error)
        meet()
    for name, artifact in walk.done.items():
        todo.steps[name].stage.show(artifact)
    walk.sum_up()
    return walk.done


@dataclass
class _Walk:
    """How far a run has come."""

    todo: Plan
    folder: Path
    width: int
    """Of the column of step names."""
    done: dict[str, Artifact] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    """Steps that were not made, and why not."""

    def take(self, step: Step, continue_on_error: bool) -> None:
        """Make one step, unless what it needs is not there."""
        not_made = {self.todo.steps[n].artifact_id: n for n in [*self.failed, *self.left]}
        if needed := [not_made[i] for i in step.inputs.values() if i in not_made]:
            self.left[step.name] = f"needs {needed[0]}"
            return
        try:
            made = self._make(step)
        except Exception as err:
            self._report(step, err)
            if not continue_on_error:
                raise
            log_failure(err)
            warn(f"{step.name}: {_first_line(err)}")
            self.failed[step.name] = err
            return
        if made:
            self.done[step.name] = made
            _record_step(self.folder, step)

    def sum_up(self) -> None:
        """Tell what became of every step where not all were made; raise the first failure."""
        for name, why in self.left.items():
            say(f"{name:{self.width}s}  left  {why}")
        if not self.failed:
            return
        for name, artifact in self.done.items():
            say(f"{name:{self.width}s}  done  {artifact.id}")
        for name, err in self.failed.items():
            say(f"{name:{self.width}s}  lost  {_first_line(err)}")
        first = next(iter(self.failed.values()))
        what = f"{len(self.failed)} of {len(self.todo.steps)} steps failed, {len(self.done)} stand"
        kind = type(first) if isinstance(first, SluiceError) else SluiceError
        raise kind(what, "the log has each error; the same command tries the failed steps again") from first

    def _make(self, step: Step) -> Artifact | None:
        """The step's artifact; None where only a part of its work was asked for."""
        store = self.todo.store
        state = agree("have" if store.has(step.artifact_id) else "make")
        if not launched():
            say(f"{step.name:{self.width}s}  {state}  {step.artifact_id}")
        if state == "have":
            return store.open(step.artifact_id)
        if world_size() == 1 and (n := step.stage.processes(step.config)) > 1:
            return self._launch(step, n)
        inputs = _nest({name: self.todo.verified(i) for name, i in step.inputs.items()})
        if part := step.stage.part(step.config):
            self._share(step, inputs, *part)
            self.left[step.name] = "the same command without a part puts all parts together"
            return None
        if step.stage.divisible and world_size() > 1:
            self._share(step, inputs, rank(), world_size())
        made = self._lead(step, inputs) if rank() == 0 else self._follow(step, inputs)
        self.todo.whole.add(made.id)
        say(f"{'':{self.width}s}  made  in {made.seconds:.1f} s: {brief(made.stats)}")
        return made

    def _launch(self, step: Step, n: int) -> Artifact:
        """The artifact, made by n processes that run this step and no other."""
        from sluicegate.training.devices.launch import launch

        say(f"{'':{self.width}s}  start {n} processes")
        command = ["run", str(self.folder / RECIPE), "--only", step.name, "--out", str(self.folder)]
        launch(command, n, step.name, self.folder / LOG / LAUNCH)
        return self.todo.store.open(step.artifact_id)

    def _lead(self, step: Step, inputs: dict[str, Any]) -> Artifact:
        """Make the artifact, and call the other processes of this launch in where the stage wants them."""

        def fill(out: Path) -> dict[str, Any]:
            if step.stage.collective:
                agree("fill")
            return _fill(out, step, inputs)

        made = self.todo.store.make(step.artifact_id, fill, step.head, step.stage.resumes)
        agree("made")
        return made

    def _follow(self, step: Step, inputs: dict[str, Any]) -> Artifact:
        """The artifact that the first process makes, once it stands; meanwhile its work too, where it calls for it."""
        if agree() == "fill":
            self.todo.store.join(step.artifact_id, lambda out: _fill(out, step, inputs))
            agree()
        return self.todo.store.open(step.artifact_id)

    def _share(self, step: Step, inputs: dict[str, Any], part: int, parts: int) -> None:
        work = lambda out: step.stage.share(out, step.config, inputs, part, parts)  # noqa: E731
        told = self.todo.store.contribute(step.artifact_id, work)
        if told is not None:
            say(f"{'':{self.width}s}  part  {part} of {parts}: {brief(told)}")

    def _report(self, step: Step, err: Exception) -> None:
        """Leave the report of a check that did not pass where the step would have stood."""
        path = self.folder / f"{step.name}.failed.md"
        if isinstance(err, CheckFailed) and err.report and rank() == 0:
            path.write_text(err.report, encoding="utf-8")
            say(f"{'':{self.width}s}  why   {path}")


def _fill(out: Path, step: Step, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a stage writes is whole once each process that has a part in it has done that."""
    told = step.stage.fill(out, step.config, inputs)
    if step.stage.collective:
        meet()
    return told


def _first_line(err: Exception) -> str:
    """Of what an error says; its class where it says nothing."""
    return (str(err).splitlines() or [type(err).__name__])[0]


def brief(stats: Mapping[str, Any]) -> str:
    """The plain numbers of a step on one line; nested tables stay in the manifest."""
    flat = {k: v for k, v in stats.items() if isinstance(v, int | float | str) and v != ""}
    return ", ".join(f"{k.replace('_', ' ')} {v:.4g}" if isinstance(v, float) else f"{k.replace('_', ' ')} {v}"
                     for k, v in flat.items())  # fmt: skip


def _nest(flat: Mapping[str, Artifact]) -> dict[str, Any]:
    """`arms.gate.0` to `{"arms": {"gate": [artifact]}}`; a plain name stays as it is."""
    out: dict[str, Any] = {}
    for dotted, artifact in flat.items():
        wire, _, rest = dotted.partition(".")
        if rest:
            out.setdefault(wire, {}).setdefault(rest.rpartition(".")[0], []).append(artifact)
        else:
            out[wire] = artifact
    return out


def _record_recipe(recipe: Mapping[str, Any], folder: Path, beside: bool) -> None:
    """`recipe.yaml`; with `beside` the steps that ran in the folder before stay in it."""
    if rank() != 0:
        return
    from omegaconf import OmegaConf

    with _alone(folder):
        whole = _merged(folder, recipe) if beside else recipe
        (folder / RECIPE).write_text(OmegaConf.to_yaml(OmegaConf.create(dict(whole))), encoding="utf-8")


def _merged(folder: Path, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recipe that ran in a folder before, with the steps of this one put in: a verb runs beside what stands."""
    if not (folder / RECIPE).is_file():
        return recipe
    before = load_recipe(str(folder / RECIPE))
    return {group: before[group] | recipe[group] for group in ("vars", "steps")}


def _record_step(folder: Path, step: Step) -> None:
    """`lock.json` for machines, a link per step for humans, and reports in the index of all runs; a report of why it
    once failed goes."""
    if rank() != 0:
        return
    with _alone(folder):
        write_json(folder / LOCK, load_lock(folder) | {step.name: step.artifact_id})
        link, draft = folder / step.name, folder / f".{step.name}.link"
        draft.unlink(missing_ok=True)
        draft.symlink_to(Path(ARTIFACTS) / step.artifact_id)
        os.replace(draft, link)
        (folder / f"{step.name}.failed.md").unlink(missing_ok=True)
    around = folder.absolute().parent
    if step.head["kind"] == "report" and around.name == RUNS:
        write_index(around)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of all who run in a folder at once, workers of one scoring for example, one writes the run's own files."""
    (folder / LOG).mkdir(parents=True, exist_ok=True)
    with (folder / LOG / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def load_lock(folder: Path) -> dict[str, str]:
    """Step name to the id of the artifact last made for it in `folder`; empty if nothing was."""
    path = folder / LOCK
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise ArtifactError(f"{path} is not JSON", "delete it: the next run writes it again") from None
