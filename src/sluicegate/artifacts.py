"""Immutable stage outputs: a folder filled in hiding, a manifest written last, and a name that is its recipe's hash."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import sluicegate
from sluicegate.errors import ArtifactError, StorageError

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
DRAFT = ".draft"
"""Ends the name of a file or folder that no artifact keeps: what is not whole yet, or is only of use after a kill."""
TORN = ".tmp*"
"""What safetensors calls a file until it is whole; one killed on its way leaves it."""
HEAD_ROWS = 20
CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Artifact:
    """A finished stage output on disk, or a model folder from elsewhere (`external`)."""

    path: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        """`<kind>-<fingerprint>`."""
        return self.manifest["id"]

    @property
    def kind(self) -> str:
        """One of `schema.Kind`."""
        return self.manifest["kind"]

    @property
    def stats(self) -> dict[str, Any]:
        """The numbers its stage thought worth a line."""
        return self.manifest.get("stats", {})

    @property
    def seconds(self) -> float:
        """Wall time its making took."""
        return self.manifest.get("made", {}).get("seconds", 0.0)

    def rows(self, name: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The rows of `<name>.parquet`, streamed; only some columns where they are named."""
        return read_rows(self.path / f"{name}.parquet", columns)

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """`<name>.parquet` as one Arrow table; only some columns where they are named."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path / f"{name}.parquet", columns=list(columns) if columns is not None else None)

    def columns(self, name: str) -> list[str]:
        """The names of the columns of `<name>.parquet`."""
        import pyarrow.parquet as pq

        return pq.read_schema(self.path / f"{name}.parquet").names

    @property
    def inputs(self) -> dict[str, str]:
        """Ids of what this artifact was made from, by their (dotted) input names."""
        return self.manifest["inputs"]

    def parent(self, name: str) -> Artifact:
        """The input `name` this artifact was made from; `ArtifactError` if it is gone or was changed."""
        found = self._parent(name)
        found.verify(file_hash)
        return found

    def _parent(self, name: str) -> Artifact:
        artifact_id, outside = self.inputs[name], self.manifest.get("external", {})
        if artifact_id in outside:
            return external(Path(outside[artifact_id]), artifact_id)
        return Store(self.path.parent).open(artifact_id)

    def parents(self) -> dict[str, Artifact]:
        """Every input this artifact was made from, by its (dotted) input name."""
        return {name: self.parent(name) for name in self.inputs}

    def verify(self, read: Callable[[Path], str] | None = None) -> None:
        """Raise `ArtifactError` unless every file, and the manifest itself, is as it was sealed.

        Every byte is read, unless `read` is `file_hash`, which remembers.
        A model folder from elsewhere has no seal: its id holds the hash its files had when it was named.
        """
        if "files" not in self.manifest:
            return
        if self.manifest["seal"] != seal(self.manifest):
            raise self._tampered(MANIFEST, "was changed after it was made")
        sealed = {entry["path"]: entry for entry in self.manifest["files"]}
        for entry in _file_entries(self.path, read or _digest):
            known = sealed.pop(entry["path"], None)
            if known != entry:
                raise self._tampered(entry["path"], f"was {'changed' if known else 'added'} after it was made")
        for gone in sealed:
            raise self._tampered(gone, "is gone")

    def _tampered(self, path: str, what: str) -> ArtifactError:
        return ArtifactError(f"{self.path.name}/{path} {what}", f"delete the folder {self.path} and run its step again")


def external(path: Path, artifact_id: str) -> Artifact:
    """An artifact of another store, or a model folder that no stage of ours made, whose id holds its files' hash."""
    if not path.is_dir():
        raise ArtifactError(f"{artifact_id} is gone from {path}", "put it back, or name another and run again")
    if (path / MANIFEST).is_file():
        return Artifact(path, read_manifest(path))
    return Artifact(path, {"kind": artifact_id.split("-")[0], "id": artifact_id, "inputs": {}, "stats": {}})


def fingerprint(head: Mapping[str, Any]) -> str:
    """12 hex digits over what decides a result: stage, its version, config, pins (outside bytes) and input ids."""
    recipe = [head[k] for k in ("stage", "stage_version", "config", "pins", "inputs")]
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]


class Store:
    """`root/<kind>-<fingerprint>/`. An artifact exists if and only if its manifest does."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def ids(self) -> list[str]:
        """Every finished artifact, oldest first."""
        found = [p.parent for p in self.root.glob(f"[!.]*/{MANIFEST}")]
        return [p.name for p in sorted(found, key=lambda p: (p / MANIFEST).stat().st_mtime)]

    def has(self, artifact_id: str) -> bool:
        """Whether the artifact is finished; a path is no id."""
        return Path(artifact_id).name == artifact_id and (self.root / artifact_id / MANIFEST).is_file()

    def open(self, artifact_id: str) -> Artifact:
        """The finished artifact `artifact_id`."""
        if not self.has(artifact_id):
            raise ArtifactError(f"no artifact {artifact_id} in {self.root}", "run the step that makes it")
        return Artifact(self.root / artifact_id, read_manifest(self.root / artifact_id))

    def make(
        self, artifact_id: str, fill: Callable[[Path], dict[str, Any]], head: Mapping[str, Any], resumes: bool = False
    ) -> Artifact:
        """Let `fill` write into a hidden folder, then seal it with a manifest and rename it into place.

        An attempt that failed or was killed leaves nothing that can be seen; the next one starts from what it
        left hidden if the stage `resumes`, and from nothing if not. Two processes never fill the same artifact
        at once: the second waits, and then finds it made.

        Raises:
            StorageError: the disk is full or the folder is not ours to write to.
        """
        hidden = self.root / f".{artifact_id}"
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with _lock(self.root / f".{artifact_id}.lock"):
                if self.has(artifact_id):
                    return self.open(artifact_id)
                with _workplace(hidden, keep=resumes):
                    start = time.monotonic()
                    stats = fill(hidden)
                    _seal(hidden, {**head, "id": artifact_id, "stats": stats}, time.monotonic() - start)
                    shutil.rmtree(self.root / artifact_id, ignore_errors=True)  # a folder whose manifest was deleted
                    hidden.rename(self.root / artifact_id)
        return self.open(artifact_id)

    def join(self, artifact_id: str, fill: Callable[[Path], dict[str, Any]]) -> None:
        """Let `fill` work in the hidden folder in which another process of the same launch makes the artifact."""
        with storage_errors(self.root):
            fill(self.root / f".{artifact_id}")

    def contribute(self, artifact_id: str, share: Callable[[Path], dict[str, Any]]) -> dict[str, Any] | None:
        """Let `share` do a part of the work in the hidden folder that `make` will finish, beside others that do.

        `make` waits for all who contribute. Returns what `share` did, None where the artifact stands already.
        """
        hidden = self.root / f".{artifact_id}"
        with storage_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with _lock(self.root / f".{artifact_id}.lock", shared=True):
                if self.has(artifact_id):
                    return None
                hidden.mkdir(exist_ok=True)
                return share(hidden)

    def lineage(self, artifact_id: str) -> list[str]:
        """Ids from the first ancestor to this artifact, each once; those of ancestors that are gone too."""
        return list(_lineage(self.open(artifact_id)))


def _lineage(artifact: Artifact) -> dict[str, None]:
    known: dict[str, None] = {}
    for name, artifact_id in artifact.inputs.items():
        try:
            known |= _lineage(artifact._parent(name))
        except ArtifactError:
            known[artifact_id] = None
    return {**known, artifact.id: None}


@contextmanager
def _workplace(folder: Path, keep: bool) -> Iterator[None]:
    """A folder to fill, empty at first and gone after an attempt that failed, unless its whole files are kept."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    for torn in list(folder.rglob(TORN)):
        torn.unlink()
    try:
        yield
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _seal(folder: Path, head: dict[str, Any], seconds: float) -> None:
    """Write the manifest of all files but drafts, which go last: a kill until then leaves what they remember."""
    made = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "seconds": round(seconds, 3)}
    code = {"version": sluicegate.__version__}
    files = list(_file_entries(folder, _digest, without=DRAFT))
    manifest = {**head, "files": files, "made": made, "code": code}
    manifest = json.loads(json.dumps(manifest))  # keys as they will be read again: the seal is taken over text
    write_json(folder / MANIFEST, {**manifest, "seal": seal(manifest)})
    for draft in sorted(folder.rglob(f"*{DRAFT}"), reverse=True):  # what lies in a folder before the folder
        shutil.rmtree(draft) if draft.is_dir() else draft.unlink()


def seal(manifest: Mapping[str, Any]) -> str:
    """12 hex digits over the rest of a manifest."""
    rest = {k: v for k, v in manifest.items() if k != "seal"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:12]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an artifact folder."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"id", "kind", "inputs", "files", "seal"} <= set(found):
        why = "it was edited by hand: delete the folder and run its step again"
        raise ArtifactError(f"{folder / MANIFEST} is not a manifest", why)
    return found


def _file_entries(folder: Path, read: Callable[[Path], str], without: str | None = None) -> Iterator[dict[str, Any]]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST):
        name = path.relative_to(folder)
        if not (without and any(part.endswith(without) for part in name.parts)):
            yield {"path": name.as_posix(), "bytes": path.stat().st_size, "sha256": read(path)}


@contextmanager
def _lock(path: Path, shared: bool = False) -> Iterator[None]:
    """A lock the kernel lets go of when its holder dies; shared by all who contribute to an artifact.

    Its file is taken away only once the artifact stands: who then waits for it, or makes it anew, finds that made.
    """
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
        if not shared:
            path.unlink(missing_ok=True)


@contextmanager
def storage_errors(root: Path) -> Iterator[None]:
    """Turn a full disk and a folder that is not ours to write to into a `StorageError`."""
    try:
        yield
    except Exception as err:
        if told := _told(err, root):
            raise told from err
        raise


def _told(err: Exception, root: Path) -> StorageError | None:
    """What an error of the file system means; libraries not written in Python say "disk full" only in words."""
    code = err.errno if isinstance(err, OSError) else None
    at = getattr(err, "filename", None) or root
    if code in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in str(err):
        return StorageError(f"the disk under {root} is full", "free some space and run again: finished steps stand")
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(f"no permission for {at}", "change its permissions, or choose another folder with out=DIR")
    if code in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return StorageError(f"{at} is in the way", "move it, or choose another folder with out=DIR")
    return None


# Files --------------------------------------------------------------------------------------------------------------


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex; read once in a process while its size and time of change stay."""
    stat = path.stat()
    return _remembered(path.resolve(), stat.st_size, stat.st_mtime_ns)


@cache
def _remembered(path: Path, size: int, mtime_ns: int) -> str:
    return _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Pretty, UTF-8, keys as given; whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(draft, path)


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], row: type) -> int:
    """Stream rows of the TypedDict `row` into Parquet, the first 20 also into `<name>.head.jsonl`; returns how many."""
    return write_arrow(path, rows, arrow_schema(row))


def write_arrow(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> int:
    """`write_table` for columns known only at run time."""
    import pyarrow as pa

    stream = iter(rows)
    chunks = iter(lambda: list(islice(stream, CHUNK_ROWS)), [])
    return write_tables(path, (pa.Table.from_pylist(chunk, schema=schema) for chunk in chunks), schema)


def write_tables(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Arrow tables of one schema, one after the other, into one Parquet file with its head; returns the rows."""
    import pyarrow.parquet as pq

    n = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            if n == 0 and len(table):
                _write_head(path.with_name(f"{path.stem}.head.jsonl"), table.slice(0, HEAD_ROWS))
            writer.write_table(table)
            n += len(table)
    return n


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, a batch in memory at a time; only some columns where they are named."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:  # buffered ahead, a file would be in memory as a whole
        for batch in file.iter_batches(CHUNK_ROWS, columns=columns, use_threads=False):
            yield from batch.to_pylist()


def arrow_schema(row: type) -> pa.Schema:
    """The Arrow schema of a TypedDict of `schema.py`."""
    import pyarrow as pa

    return pa.schema([pa.field(name, _arrow_type(hint)) for name, hint in get_type_hints(row).items()])


def _arrow_type(hint: Any) -> pa.DataType:
    import pyarrow as pa

    plain: dict[Any, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float32(), bool: pa.bool_()}
    if hint in plain:
        return plain[hint]
    args = [a for a in get_args(hint) if a is not NoneType]
    if getattr(hint, "__origin__", None) is list:
        return pa.list_(_arrow_type(args[0]))
    if args:
        return _arrow_type(args[0])
    return pa.struct(list(arrow_schema(hint)))


def _write_head(path: Path, table: pa.Table) -> None:
    """What a person reads of a table; columns of vectors, one number after the other, are left out."""
    import pyarrow.types as types

    vectors = [f.name for f in table.schema if types.is_list(f.type) and not types.is_struct(f.type.value_type)]
    rows = table.drop_columns(vectors).to_pylist()
    lines = (json.dumps(r, ensure_ascii=False, default=str) for r in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
