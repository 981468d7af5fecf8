"""How a model came about, read off the lineage of its artifact; what is gone since is known by its id alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sluicegate.artifacts import MANIFEST, Artifact, read_manifest
from sluicegate.data.readers import stem
from sluicegate.errors import ArtifactError
from sluicegate.models.hub_name import HubName, hub_name


@dataclass(frozen=True)
class Training:
    """A step that changed weights."""

    model: Artifact

    @property
    def stage(self) -> str:
        """`sft`, `dpo` or another."""
        return self.model.manifest["stage"]

    @property
    def settings(self) -> dict[str, Any]:
        """Every key that was not left open, by its dotted name."""
        return dict(_flat(self.model.manifest["config"]))

    @cached_property
    def data(self) -> list[Artifact]:
        """The rows it could learn from, and the trusted rows beside them."""
        return list(filter(None, (before(self.model, name) for name in ("data", "trusted"))))

    @cached_property
    def selection(self) -> Artifact | None:
        """What chose among them."""
        return before(self.model, "selection")

    @cached_property
    def rows(self) -> Counter[tuple[str, str]]:
        """How many rows it learnt from, by source and language."""
        kept = self._kept()
        trusted = before(self.model, "trusted")
        found: Counter[tuple[str, str]] = Counter()
        for data in self.data:
            every = kept is None or (trusted is not None and data.id == trusted.id)
            rows = data.rows(data.kind, ["id", "source", "lang"])
            found.update((row["source"], row["lang"]) for row in rows if every or row["id"] in kept)
        return found

    def _kept(self) -> Any:
        if self.selection is None:
            return None
        return {row["id"] for row in self.selection.rows("selection", ["id", "kept"]) if row["kept"]}


@dataclass(frozen=True)
class Base:
    """What the first training began from."""

    artifact: Artifact

    @property
    def scratch(self) -> bool:
        """Whether it was itself trained here, from nothing."""
        return "stage" in self.artifact.manifest

    @property
    def hub(self) -> HubName | None:
        """Where others can get it, where its folder is a snapshot of the hub."""
        return hub_name(self.artifact.path)

    @property
    def name(self) -> str:
        """That of the hub, or of its folder; never where a machine keeps it."""
        return self.hub.name if self.hub else self.artifact.id if self.scratch else self.artifact.path.name

    @property
    def licence(self) -> str:
        """That of the card in its folder; empty where there is none."""
        return _licence(self.artifact.path)


@dataclass(frozen=True)
class History:
    """A model with everything behind it."""

    model: Artifact
    """The artifact it is, or was saved by on the way."""
    checkpoint: str
    """Which of that artifact's checkpoints; empty for what it ended as."""
    trainings: list[Training]
    """The first comes first."""
    base: Base

    @cached_property
    def ancestors(self) -> dict[str, Artifact | None]:
        """Id to artifact of all it was made from and of itself, the oldest first; None for what is gone."""
        return _ancestors(self.model)

    @cached_property
    def sources(self) -> dict[str, dict[str, Any]]:
        """Name to the keys of every source that was read for it."""
        read = (made for made in self.ancestors.values() if made and made.manifest.get("stage") == "prepare")
        told = (source for made in read for source in made.manifest["config"]["sources"])
        return {name: source for source in told if (name := _title(source))}


def history_of(model: Artifact) -> History:
    """Follow a model to its base. A checkpoint is known by the artifact whose folder it lies in."""
    made, checkpoint = _owner(model)
    trainings: list[Training] = []
    step = made
    while below := _below(step):
        if step.manifest["stage"] != "convert":  # it writes gates into the folder, and no other weight
            trainings.insert(0, Training(step))
        step = below
    return History(made, checkpoint, trainings, Base(step))


def before(artifact: Artifact | None, name: str) -> Artifact | None:
    """An input something was made from; None where it had none of that name, or where it is gone."""
    if artifact is None or name not in artifact.inputs:
        return None
    try:
        return artifact.parent(name)
    except ArtifactError:
        return None


def _below(model: Artifact) -> Artifact | None:
    """The model that another was made from; that of a converted one may be its gate's."""
    return before(model, "model") or before(before(model, "gate"), "model")


def _owner(model: Artifact) -> tuple[Artifact, str]:
    """The artifact a folder is or lies in, and what it is called in there."""
    for folder in model.path.parents[:2] if "stage" not in model.manifest else ():
        if (folder / MANIFEST).is_file():
            return Artifact(folder, read_manifest(folder)), model.path.relative_to(folder).name
    return model, ""


def _ancestors(artifact: Artifact) -> dict[str, Artifact | None]:
    known: dict[str, Artifact | None] = {}
    for name, artifact_id in artifact.inputs.items():
        found = before(artifact, name)
        known |= _ancestors(found) if found else {artifact_id: None}
    return {**known, artifact.id: artifact}


def _flat(tree: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{at}{key}.")
        elif value not in (None, "", []):
            yield f"{at}{key}", value


def _title(source: Mapping[str, Any]) -> str:
    """What the `source` column says of a source's rows; empty for those of the built-in world, which say it alone."""
    path, hub = source.get("path"), source.get("hub")
    found = stem(Path(path)) if path else str(hub or "").rpartition("/")[2]
    return str(source.get("name") or source.get("preset") or found)


def _licence(folder: Path) -> str:
    """The `license` in the front matter of a folder's card."""
    from huggingface_hub import metadata_load
    from yaml import YAMLError

    card = folder / "README.md"
    try:
        told = metadata_load(card) if card.is_file() else None
    except (YAMLError, ValueError):
        return ""
    return str((told or {}).get("license") or "")
