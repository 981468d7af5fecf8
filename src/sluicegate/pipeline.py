"""Walk the house: plan every artifact of a recipe by its fingerprint, then make what does not stand yet."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluicegate.artifacts import MANIFEST, Artifact, Store, external, file_hash, fingerprint, read_manifest, write_json
from sluicegate.config import build, result_fields
from sluicegate.errors import ArtifactError, ConfigError, MissingError
from sluicegate.registry import STAGES, did_you_mean
from sluicegate.runtime import open_log, rank, say
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage

RAW_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".gz")


@dataclass(frozen=True)
class Step:
    """One planned step: its stage, its config, its inputs by dotted name, and the artifact it will be."""

    name: str
    stage: Stage
    config: Any
    inputs: dict[str, str]
    head: dict[str, Any]
    artifact_id: str


@dataclass
class Plan:
    """The steps of a recipe in order; ids are known before anything runs, for a fingerprint needs no result."""

    store: Store
    steps: dict[str, Step] = field(default_factory=dict)
    outside: dict[str, Artifact] = field(default_factory=dict)
    """Artifacts of other runs and plain model folders, by id."""

    def add(self, name: str, spec: Mapping[str, Any]) -> Step:
        """Plan one more step; raises `ConfigError` for anything in `spec` its stage does not know."""
        stage = _stage(name, spec)
        wires = {**stage.takes, **stage.may_take}
        given = {k: v for k, v in spec.items() if k in wires and v is not None}
        if missing := [k for k in stage.takes if k not in given]:
            raise ConfigError(f"steps.{name} has no input '{missing[0]}'", f"it must be a {wires[missing[0]]} artifact")
        tree = {k: v for k, v in spec.items() if k not in wires and k != "stage"}
        config = build(stage.Config, tree, f"steps.{name}")
        inputs = {k: i for wire, value in given.items() for k, i in self._wire(name, wire, value, wires[wire])}
        outside = {i: str(self.outside[i].path) for i in inputs.values() if i in self.outside}
        head = {"kind": stage.makes, "stage": stage.name, "stage_version": stage.version, "pins": stage.pins(config)}
        head |= {"config": result_fields(config), "inputs": inputs}
        step_id = f"{stage.makes}-{fingerprint(head)}"
        step = Step(name, stage, config, inputs, head | {"external": outside}, step_id)
        self.steps[name] = step
        return step

    def artifact(self, artifact_id: str) -> Artifact:
        """A planned step's artifact (made before), or one from outside."""
        return self.outside.get(artifact_id) or self.store.open(artifact_id)

    def _wire(self, step: str, wire: str, value: Any, kind: Kind) -> Iterator[tuple[str, str]]:
        """(dotted input name, artifact id) of every artifact an input value names."""
        if isinstance(value, Mapping):
            for key, part in value.items():
                yield from self._wire(step, f"{wire}.{key}", part, kind)
        elif isinstance(value, list) or (isinstance(value, str) and "*" in value):
            for n, name in enumerate(self._names(step, wire, value)):
                yield f"{wire}.{n}", self._resolve(step, wire, name, kind)
        else:
            yield wire, self._resolve(step, wire, str(value), kind)

    def _names(self, step: str, wire: str, value: Any) -> list[str]:
        patterns = value if isinstance(value, list) else [value]
        found = [n for p in patterns for n in ([p] if "*" not in p else fnmatch.filter(self.steps, p))]
        if not found:
            raise ConfigError(f"steps.{step}.{wire}: '{value}' matches no step before it")
        return found

    def _resolve(self, step: str, wire: str, value: str, kind: Kind) -> str:
        """The artifact id behind a step name, an artifact id, an artifact folder, a model folder or a raw file."""
        at = f"steps.{step}.{wire}"
        found_kind: str
        if value in self.steps:
            found_kind, found = self.steps[value].stage.makes, self.steps[value].artifact_id
        elif self.store.has(value):
            found_kind, found = self.store.open(value).kind, value
        elif (Path(value) / MANIFEST).is_file():
            found_kind, found = self._adopt(Path(value))
        elif kind == "model":
            return self._model_folder(value, at)
        elif kind == "messages" and (Path(value).exists() or value.endswith(RAW_SUFFIXES)):
            sources = {"stage": "prepare", "sources": [{"path": value}]}
            return self.add(f"{step}.{wire}", sources).artifact_id
        else:
            hint = did_you_mean(value, self.steps) or f"steps before it: {', '.join(self.steps) or 'none'}"
            raise ConfigError(f"{at}: no step, artifact or file '{value}'", hint)
        if found_kind != kind:
            raise ConfigError(f"{at}: '{value}' is a {found_kind}, not a {kind}", f"name a step that makes a {kind}")
        return found

    def _adopt(self, folder: Path) -> tuple[str, str]:
        found = Artifact(folder.resolve(), read_manifest(folder))
        self.outside[found.id] = found
        return found.kind, found.id

    def _model_folder(self, value: str, at: str) -> str:
        folder = Path(value) if Path(value).is_dir() else _snapshot(value, at)
        if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
            raise MissingError(f"{at}: {folder} has no config.json", "give a folder that save_pretrained wrote")
        found = external(folder.resolve(), f"model-external-{_folder_hash(folder)}")
        self.outside[found.id] = found
        return found.id


def plan(recipe: Mapping[str, Any], folder: Path) -> Plan:
    """Every step of a recipe with the id of the artifact it will be; nothing runs."""
    found = Plan(Store(folder / "artifacts"))
    for name, spec in recipe["steps"].items():
        found.add(name, spec)
    return found


def run(recipe: Mapping[str, Any], folder: Path) -> dict[str, Artifact]:
    """Make what the plan says and does not stand yet; returns step name to artifact.

    Writes `recipe.yaml` as resolved, `lock.json` and a link per step into `folder`.
    """
    todo = plan(recipe, folder)
    _record_recipe(recipe, folder)
    open_log(folder / "log")
    done: dict[str, Artifact] = {}
    width = max(map(len, todo.steps), default=0)
    for step in todo.steps.values():
        done[step.name] = _make(todo, step, width)
        _record_step(folder, step, done)
    for step in todo.steps.values():
        step.stage.show(done[step.name])
    return done


def _make(todo: Plan, step: Step, width: int) -> Artifact:
    stands = todo.store.has(step.artifact_id)
    if stands:
        made = todo.store.open(step.artifact_id)
        say(f"{step.name:{width}s}  have  {made.id}")
        return made
    say(f"{step.name:{width}s}  make  {step.artifact_id}")
    inputs = _nest({name: todo.artifact(i) for name, i in step.inputs.items()})
    fill = lambda out: step.stage.fill(out, step.config, inputs)  # noqa: E731
    made = todo.store.make(step.artifact_id, fill, step.head, step.stage.resumes)
    say(f"{'':{width}s}  made  in {made.seconds:.1f} s: {brief(made.stats)}")
    return made


def brief(stats: Mapping[str, Any]) -> str:
    """The plain numbers of a step on one line; nested tables stay in the manifest."""
    flat = {k: v for k, v in stats.items() if isinstance(v, int | float | str) and v != ""}
    return ", ".join(f"{k.replace('_', ' ')} {v:.4g}" if isinstance(v, float) else f"{k.replace('_', ' ')} {v}"
                     for k, v in flat.items())  # fmt: skip


def _nest(flat: dict[str, Artifact]) -> dict[str, Any]:
    """`arms.gate.0` to `{"arms": {"gate": [artifact]}}`; a plain name stays as it is."""
    out: dict[str, Any] = {}
    for dotted, artifact in flat.items():
        *parents, leaf = dotted.split(".")
        node = out
        for key in parents:
            node = node.setdefault(key, {})
        node[leaf] = artifact
    return _lists(out)


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(k.isdigit() for k in node):
        return list(node.values())
    return {k: _lists(v) for k, v in node.items()}


def _stage(name: str, spec: Mapping[str, Any]) -> Stage:
    if "stage" not in spec and name not in STAGES.names():
        raise ConfigError(f"steps.{name} names no stage", f"add `stage:` with one of {', '.join(STAGES.names())}")
    return STAGES.get(spec.get("stage", name))()


def _folder_hash(folder: Path) -> str:
    """12 hex digits over the names and bytes of a model folder's files."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)} {file_hash(path)}\n".encode())
    return digest.hexdigest()[:12]


def _snapshot(name: str, at: str) -> Path:
    """The local snapshot of a hub model; its files decide the fingerprint, whatever moved on the hub since."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        hint = "give a folder that save_pretrained wrote, or a hub name"
        raise MissingError(f"{at}: no model folder {name}", hint)
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]))
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as err:
        why = str(err).splitlines()[0]
        what = f"{at}: no folder and no hub model '{name}' ({why})"
        raise MissingError(what, f"get it with: hf download {name}") from None


def _record_recipe(recipe: Mapping[str, Any], folder: Path) -> None:
    if rank() != 0:
        return
    from omegaconf import OmegaConf

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(dict(recipe))), encoding="utf-8")
    except (PermissionError, NotADirectoryError, FileExistsError) as err:
        raise ArtifactError(
            f"cannot write into {folder}: {err.strerror}", "choose another folder with out=DIR"
        ) from None


def _record_step(folder: Path, step: Step, done: Mapping[str, Artifact]) -> None:
    """`lock.json` for machines and a link per step for humans."""
    if rank() != 0:
        return
    write_json(folder / "lock.json", {name: a.id for name, a in done.items()})
    link, draft = folder / step.name, folder / f".{step.name}.link"
    draft.unlink(missing_ok=True)
    draft.symlink_to(Path("artifacts") / step.artifact_id)
    os.replace(draft, link)


def load_lock(folder: Path) -> dict[str, str]:
    """Step name to artifact id of the last run in `folder`; empty if there was none."""
    path = folder / "lock.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
