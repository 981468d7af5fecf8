"""Where a user's words for an artifact lead: a folder, an id of any run, or a step of the newest."""

from __future__ import annotations

import argparse
from pathlib import Path

from sluicegate.artifacts import MANIFEST, Artifact, Store
from sluicegate.errors import ArtifactError
from sluicegate.registry import did_you_mean
from sluicegate.reporting.index import RUNS

DEFAULT_OUT = f"{RUNS}/latest"


def add_out(parser: argparse.ArgumentParser) -> None:
    """`--out`, the run that is meant."""
    parser.add_argument("--out", type=Path, help="the run's folder (default: the newest in runs/)")


def runs() -> list[Path]:
    """The folders in `runs/` that something was made in, the newest last."""
    locks = sorted(Path(RUNS).glob("*/lock.json"), key=lambda lock: lock.stat().st_mtime_ns)
    return [lock.parent for lock in locks]


def newest() -> Path:
    """The run that something was made in last."""
    return [Path(DEFAULT_OUT), *runs()][-1]


def other_runs() -> str:
    """A hint with the runs there are."""
    known = ", ".join(sorted(map(str, runs()))) or "none in runs/"
    return f"name the run's folder with --out DIR; runs: {known}"


def find(name: str, given: Path | None) -> Artifact:
    """An artifact by its folder, its id, or the name of its step in what ran in the folder last.

    Without a folder given, a step is one of the newest run, and an id may be of any.
    """
    from sluicegate.pipeline import load_lock

    if (Path(name) / MANIFEST).is_file():
        folder = Path(name).resolve()
        return Store(folder.parent).open(folder.name)
    out = given or newest()
    if given and not given.is_dir():
        raise ArtifactError(f"no run {given}", other_runs())
    lock = load_lock(out)
    stores = [Store(folder / "artifacts") for folder in ([out] if given else [out, *runs()])]
    artifact_id = lock.get(name, name)
    for store in stores:
        if store.has(artifact_id):
            return store.open(artifact_id)
    hint = did_you_mean(name, [*lock, *stores[0].ids()]) or other_runs()
    raise ArtifactError(f"no artifact and no step '{name}' in {out}", hint)
