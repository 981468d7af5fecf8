"""What a recipe would make: every artifact by its fingerprint, which needs no result, before anything runs."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluicegate.artifacts import (
    MANIFEST,
    Artifact,
    Store,
    external,
    file_hash,
    fingerprint,
    read_manifest,
)
from sluicegate.config import build, result_fields
from sluicegate.errors import ConfigError, MissingError, SluiceError
from sluicegate.registry import STAGES, did_you_mean
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage

RAW_SUFFIXES = (".jsonl", ".json", ".csv", ".parquet", ".arrow", ".gz", ".zst", ".xz")
RECIPE, LOCK, LOG, ARTIFACTS = "recipe.yaml", "lock.json", "log", "artifacts"


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
    named: Mapping[str, str] = field(default_factory=dict)
    """Ids of artifacts that stand, by the names that steps may call them."""
    steps: dict[str, Step] = field(default_factory=dict)
    outside: dict[str, Artifact] = field(default_factory=dict)
    """Artifacts of other runs and plain model folders, by id."""
    whole: set[str] = field(default_factory=set)
    """Artifacts that need no more checking: they were made or verified by this run."""
    models: dict[str, str] = field(default_factory=dict)
    """Ids of model folders by the names steps call them: a folder that ten steps name is hashed once."""

    def add(self, name: str, spec: Mapping[str, Any]) -> Step:
        """Plan one more step; raises `ConfigError` for anything in `spec` its stage does not know."""
        stage = _stage(name, spec)
        wires = {**stage.takes, **stage.may_take}
        given = {k: v for k, v in spec.items() if k in wires and v is not None}
        if missing := [k for k in stage.takes if k not in given]:
            raise ConfigError(f"steps.{name} has no input '{missing[0]}'", f"it must be a {wires[missing[0]]} artifact")
        tree = {k: v for k, v in spec.items() if k not in wires and k != "stage"}
        config = build(stage.Config, tree, f"steps.{name}")
        with _placed(f"steps.{name}"):
            stage.check(config, given)
            pins = stage.pins(config)
        inputs = {k: i for wire, value in given.items() for k, i in self._wire(name, stage, wire, value)}
        outside = {i: str(self.outside[i].path) for i in inputs.values() if i in self.outside}
        made = stage.made(config)
        head = {"kind": made, "stage": stage.name, "stage_version": stage.version, "pins": pins}
        head |= {"config": result_fields(config), "inputs": inputs}
        step_id = f"{made}-{fingerprint(head)}"
        step = Step(name, stage, config, inputs, head | {"external": outside}, step_id)
        self.steps[name] = step
        return step

    def verified(self, artifact_id: str) -> Artifact:
        """An artifact to make another from; raises `ArtifactError` if it is gone or was changed."""
        found = self.outside.get(artifact_id) or self.store.open(artifact_id)
        if artifact_id not in self.whole:
            found.verify()
            self.whole.add(artifact_id)
        return found

    def _wire(self, step: str, stage: Stage, wire: str, value: Any) -> Iterator[tuple[str, str]]:
        """(dotted input name, artifact id) of every artifact an input value names."""
        at, kind = f"steps.{step}.{wire}", {**stage.takes, **stage.may_take}[wire]
        if wire not in stage.grouped:
            if isinstance(value, Mapping | list):
                raise ConfigError(f"{at} is one {kind} artifact, not {value}", "name one step, artifact or file")
            yield wire, self._resolve(at, str(value), kind)
            return
        if not isinstance(value, Mapping):
            raise ConfigError(f"{at} is a mapping of lists, not {value!r}", f"write it as `{wire}: {{NAME: [STEP]}}`")
        for key, names in value.items():
            for n, name in enumerate(self._matches(f"{at}.{key}", names)):
                yield f"{wire}.{key}.{n}", self._resolve(f"{at}.{key}", name, kind)

    def _matches(self, at: str, names: Any) -> list[str]:
        """The names of a list, in which `*` stands for anything that names a step."""
        known = list(dict.fromkeys([*self.steps, *self.named]))
        asked = [str(name) for name in (names if isinstance(names, list) else [names])]
        found = [n for name in asked for n in (fnmatch.filter(known, name) if "*" in name else [name])]
        if not found:
            raise ConfigError(f"{at}: '{', '.join(asked)}' matches no step before it", f"steps: {', '.join(known)}")
        return found

    def _resolve(self, at: str, value: str, kind: Kind) -> str:
        """The artifact id behind a step's name, an artifact's id or folder, a model folder or a raw file."""
        if not value.strip():
            raise ConfigError(f"{at} is empty", f"name a {kind} artifact, a step that makes one, or a file")
        found = self._known(value)
        if found is None and kind in ("messages", "pairs") and (Path(value).exists() or value.endswith(RAW_SUFFIXES)):
            spec = {"stage": "prepare", "make": kind, "sources": [value]}
            return self.add(at.removeprefix("steps."), spec).artifact_id
        if found is None and kind == "model":
            if value not in self.models:
                self.models[value] = self._model_folder(value, at)
            return self.models[value]
        if found is None:
            hint = did_you_mean(value, self.steps) or f"steps before it: {', '.join(self.steps) or 'none'}"
            raise ConfigError(f"{at}: no step, artifact or file '{value}'", hint)
        artifact_id, found_kind = found
        if found_kind != kind:
            raise ConfigError(f"{at}: '{value}' is a {found_kind}, not a {kind}", f"name a step that makes a {kind}")
        return artifact_id

    def _known(self, value: str) -> tuple[str, str] | None:
        """(id, kind) of a step of this plan, or of an artifact that stands, in this run's folder or another's."""
        if step := self.steps.get(value):
            return step.artifact_id, step.head["kind"]
        value = self.named.get(value, value)
        if self.store.has(value):
            return value, self.store.open(value).kind
        return self._adopt(Path(value)) if (Path(value) / MANIFEST).is_file() else None

    def _adopt(self, folder: Path) -> tuple[str, str]:
        found = Artifact(folder.resolve(), read_manifest(folder))
        if found.path.parent != self.store.root.resolve():
            self.outside[found.id] = found
        return found.id, found.kind

    def _model_folder(self, value: str, at: str) -> str:
        if Path(value).is_file():
            raise MissingError(f"{at}: {value} is a file, where a model folder is needed", "give the folder around it")
        if value in STAGES.names() and not Path(value).is_dir():
            raise MissingError(f"{at}: no step '{value}' stands in this folder", "make it first, or name another model")
        folder = Path(value) if Path(value).is_dir() else _snapshot(value, at, did_you_mean(value, self.steps))
        if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
            raise MissingError(f"{at}: {folder} has no config.json", "give a folder that save_pretrained wrote")
        found = external(folder.resolve(), f"model-external-{_folder_hash(folder)}")
        self.outside[found.id] = found
        return found.id


def plan(recipe: Mapping[str, Any], folder: Path, named: Mapping[str, str] | None = None) -> Plan:
    """Every step of a recipe with the id of the artifact it will be; nothing runs.

    Args:
        named: ids of artifacts in `folder` by names that the steps may call them, beside each other's.
    """
    found = Plan(Store(folder / ARTIFACTS), named or {})
    failed: dict[str, SluiceError | None] = {}
    for name, spec in recipe["steps"].items():
        if any(fnmatch.fnmatchcase(one, text) for text in _texts(spec) for one in failed):
            failed[name] = None  # what it names is not planned: what is wrong with it cannot be told yet
            continue
        try:
            found.add(name, spec)
        except SluiceError as err:
            failed[name] = err
    _raise_together([err for err in failed.values() if err])
    return found


def _texts(node: Any) -> Iterator[str]:
    """Every text in a step, at any depth."""
    if isinstance(node, Mapping | list):
        for value in node.values() if isinstance(node, Mapping) else node:
            yield from _texts(value)
    else:
        yield str(node)


def _raise_together(errors: list[SluiceError]) -> None:
    """Raise what is wrong with several steps as one error, of the class of the first."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        lines = "\n".join(f"{err.message} ({err.hint})" for err in errors).replace("\n", "\n  ")
        raise type(errors[0])(f"{len(errors)} steps are not valid:\n  {lines}", "nothing was run: correct them all")


@contextmanager
def _placed(at: str) -> Iterator[None]:
    """Say the place before what a stage, which does not know its step's name, says is wrong."""
    try:
        yield
    except SluiceError as err:
        raise type(err)(f"{at}: {err.message}", err.hint) from err


def _stage(name: str, spec: Mapping[str, Any]) -> Stage:
    if not re.fullmatch(r"\w[\w.-]*", name) or name in (RECIPE, LOCK, LOG, ARTIFACTS):
        raise ConfigError(f"steps.{name} cannot be a step's name", "use letters, digits, '-', '_' and '.'")
    asked = str(spec.get("stage", name))
    if asked not in STAGES.names():
        hint = did_you_mean(asked, STAGES.names()) or f"stages: {', '.join(STAGES.names())}"
        raise ConfigError(f"steps.{name}: no stage '{asked}'", hint)
    return STAGES.get(asked)()


def _folder_hash(folder: Path) -> str:
    """12 hex digits over the names and bytes of a model folder's files."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)} {file_hash(path)}\n".encode())
    return digest.hexdigest()[:12]


def _snapshot(name: str, at: str, near: str) -> Path:
    """The local snapshot of a hub model; its files decide the fingerprint, whatever moved on the hub since."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        hint = "give a folder that save_pretrained wrote, or a hub name"
        raise MissingError(f"{at}: no model folder {name}", near or hint)
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.model", "*.jinja", "*.txt"]))
    except (HFValidationError, LocalEntryNotFoundError, HfHubHTTPError, OSError) as err:
        why = str(err).splitlines()[0]
        what = f"{at}: no folder and no hub model '{name}' ({why})"
        raise MissingError(what, near or f"get it with: hf download {name}") from None
