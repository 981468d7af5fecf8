"""Sealed folders: all or nothing, named by their recipe, and found out when they are changed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE
from typing import Any, TypedDict

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluicegate import artifacts
from sluicegate.artifacts import (
    CHUNK_ROWS,
    HEAD_ROWS,
    MANIFEST,
    Artifact,
    Store,
    external,
    fingerprint,
    read_rows,
    storage_errors,
    write_json,
    write_table,
)
from sluicegate.errors import ArtifactError, StorageError
from sluicegate.schema import Record
from sluicegate.testing import tiny_pool

ID = "messages-000000000000"
HEAD: dict[str, Any] = {"kind": "messages", "stage": "test", "stage_version": 1, "config": {}, "pins": {}, "inputs": {}}


def fill(out: Path) -> dict[str, Any]:
    (out / "a.txt").write_text("a", encoding="utf-8")
    (out / "deep").mkdir(exist_ok=True)
    (out / "deep" / "b.txt").write_text("b", encoding="utf-8")
    return {"rows": 2}


def made(store: Store, artifact_id: str = ID, **head: Any) -> Artifact:
    return store.make(artifact_id, fill, HEAD | {"kind": artifact_id.split("-")[0]} | head)


def visible(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if not p.name.startswith("."))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


# Together -----------------------------------------------------------------------------------------------------------


def test_those_who_contribute_work_at_once_and_the_maker_waits_for_all_of_them(store: Store) -> None:
    both, out = threading.Barrier(2, timeout=20), []

    def share(folder: Path, name: str) -> dict[str, Any]:
        both.wait()  # would time out if one kept the other waiting
        time.sleep(0.2)
        (folder / name).write_text(name, encoding="utf-8")
        return {"wrote": name}

    def contribute(name: str) -> None:
        out.append(store.contribute(ID, lambda folder: share(folder, name)))

    workers = [threading.Thread(target=contribute, args=(name,)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    while not (store.root / f".{ID}").is_dir():
        time.sleep(0.01)
    artifact = store.make(ID, lambda folder: {"found": sorted(p.name for p in folder.iterdir())}, HEAD, resumes=True)
    assert artifact.stats == {"found": ["a", "b"]}
    for worker in workers:
        worker.join()
    assert sorted(out, key=str) == [{"wrote": "a"}, {"wrote": "b"}]
    assert visible(store.root) == [ID]


def test_nobody_contributes_to_what_stands(store: Store) -> None:
    made(store)
    assert store.contribute(ID, lambda folder: pytest.fail("it stands")) is None


# Sealing ------------------------------------------------------------------------------------------------------------


def test_an_artifact_is_what_was_filled_and_a_manifest(store: Store) -> None:
    artifact = made(store, config={"k": 1})
    assert (artifact.id, artifact.kind, artifact.stats) == (ID, "messages", {"rows": 2})
    assert [e["path"] for e in artifact.manifest["files"]] == ["a.txt", "deep/b.txt"]
    assert artifact.manifest["files"][0]["bytes"] == 1
    assert artifact.manifest["config"] == {"k": 1}
    assert artifact.seconds >= 0
    assert list(store.root.iterdir()) == [store.root / ID], "no draft, lock or hidden folder is left"
    artifact.verify()


def test_what_stands_is_not_made_again(store: Store) -> None:
    made(store)
    again = store.make(ID, lambda out: pytest.fail("filled twice"), HEAD)
    assert again.stats == {"rows": 2}


def test_an_artifact_can_be_seen_only_when_it_is_whole(store: Store) -> None:
    def look(out: Path) -> dict[str, Any]:
        assert not store.has(ID)
        assert store.ids() == visible(store.root) == []
        return fill(out)

    store.make(ID, look, HEAD)
    assert store.ids() == visible(store.root) == [ID]


@pytest.mark.parametrize("raised", [ValueError("no"), KeyboardInterrupt()])
def test_a_fill_that_raises_leaves_nothing(store: Store, raised: BaseException) -> None:
    def half(out: Path) -> dict[str, Any]:
        fill(out)
        raise raised

    with pytest.raises(type(raised)):
        store.make(ID, half, HEAD)
    assert visible(store.root) == []
    assert not (store.root / f".{ID}").exists()
    assert made(store).stats == {"rows": 2}


def test_what_safetensors_was_writing_when_it_was_killed_is_not_kept(store: Store) -> None:
    hidden = store.root / f".{ID}"
    (hidden / "deep").mkdir(parents=True)
    for name in (".tmpQz81aB", "deep/.tmp0a", "deep/shard-0"):
        (hidden / name).write_bytes(b"half")
    artifact = store.make(ID, lambda folder: {}, HEAD, resumes=True)
    assert [e["path"] for e in artifact.manifest["files"]] == ["deep/shard-0"]


@pytest.mark.parametrize("resumes", [True, False])
def test_a_stage_that_resumes_finds_its_partial_work_and_no_other_does(store: Store, resumes: bool) -> None:
    seen: list[list[str]] = []

    def half(out: Path) -> dict[str, Any]:
        seen.append(sorted(p.name for p in out.iterdir()))
        (out / "shard-0").touch()
        if len(seen) == 1:
            raise ValueError("cut off")
        return {}

    with pytest.raises(ValueError, match="cut off"):
        store.make(ID, half, HEAD, resumes)
    assert visible(store.root) == []
    assert [e["path"] for e in store.make(ID, half, HEAD, resumes).manifest["files"]] == ["shard-0"]
    assert seen == [[], ["shard-0"] if resumes else []]


def test_a_kill_between_seal_and_rename_is_made_up_for(store: Store) -> None:
    hidden = store.root / f".{ID}"
    hidden.mkdir(parents=True)
    for name in (MANIFEST, f".{MANIFEST}.draft", "checkpoint.draft"):
        (hidden / name).write_text("half", encoding="utf-8")
    (hidden / "checkpoints.draft" / "step-1").mkdir(parents=True)
    for name in ("weights", "more.draft"):
        (hidden / "checkpoints.draft" / "step-1" / name).write_text("half", encoding="utf-8")
    resumed = store.make(ID, fill, HEAD, resumes=True)
    assert [e["path"] for e in resumed.manifest["files"]] == ["a.txt", "deep/b.txt"]
    assert not list(resumed.path.rglob("*.draft*"))
    resumed.verify()


def test_drafts_outlive_a_kill_before_the_seal(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def remembers(folder: Path) -> dict[str, Any]:
        (folder / "cost.draft").write_text("7", encoding="utf-8")
        return fill(folder)

    def dies(path: Path, value: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "write_json", dies)
        with pytest.raises(KeyboardInterrupt):
            store.make(ID, remembers, HEAD, resumes=True)
    assert (store.root / f".{ID}" / "cost.draft").read_text(encoding="utf-8") == "7"
    assert [e["path"] for e in store.make(ID, fill, HEAD, resumes=True).manifest["files"]] == ["a.txt", "deep/b.txt"]


def test_what_a_killed_attempt_left_is_no_part_of_a_stage_that_does_not_resume(store: Store) -> None:
    hidden = store.root / f".{ID}"
    hidden.mkdir(parents=True)
    (hidden / "old.txt").touch()
    assert [e["path"] for e in made(store).manifest["files"]] == ["a.txt", "deep/b.txt"]


def test_a_folder_without_its_manifest_is_made_anew(store: Store) -> None:
    folder = made(store).path
    (folder / MANIFEST).unlink()
    (folder / "a.txt").write_text("edited", encoding="utf-8")
    assert store.ids() == []
    assert (made(store).path / "a.txt").read_text(encoding="utf-8") == "a"


MAKE_SLOWLY = f"""
import sys, time
from pathlib import Path
from sluicegate.artifacts import Store

def fill(out):
    with open(sys.argv[2], "a") as calls:
        calls.write("x")
    (out / "a.txt").write_text("a")
    time.sleep(0.5)
    return {{"rows": 1}}

print(Store(Path(sys.argv[1])).make({ID!r}, fill, {HEAD!r}).stats)
"""


def test_processes_that_make_the_same_artifact_make_it_once(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE_SLOWLY, str(store.root), str(tmp_path / "calls")]
    workers = [subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) for _ in range(4)]
    assert [worker.communicate() for worker in workers] == [("{'rows': 1}\n", "")] * 4
    assert (tmp_path / "calls").read_text(encoding="utf-8") == "x"
    store.open(ID).verify()
    assert list(store.root.iterdir()) == [store.root / ID]


# Trouble ------------------------------------------------------------------------------------------------------------


def refuse(code: int, name: str = "") -> Callable[..., Any]:
    def call(*args: object, **kw: object) -> None:
        raise OSError(code, os.strerror(code), name or None)

    return call


@pytest.mark.parametrize("where", ["os.replace", "Path.rename", "Path.write_text", "Path.mkdir"])
@pytest.mark.parametrize("resumes", [True, False])
def test_a_full_disk_at_any_point_of_sealing_is_one_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch, where: str, resumes: bool
) -> None:
    owner, name = {"os": os, "Path": Path}[where.split(".")[0]], where.split(".")[1]
    with monkeypatch.context() as full:
        full.setattr(owner, name, refuse(errno.ENOSPC))
        with pytest.raises(StorageError) as caught:
            store.make(ID, lambda out: {}, HEAD, resumes)
    assert caught.value.message == f"the disk under {store.root} is full"
    assert "free some space" in caught.value.hint
    assert caught.value.exit_code == 1
    assert not store.root.exists() or visible(store.root) == []
    made(store).verify()


def test_a_disk_that_fills_up_while_a_table_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(out: Path) -> dict[str, Any]:
        return {"rows": write_table(out / "messages.parquet", tiny_pool(), Record)}

    with monkeypatch.context() as full:
        full.setattr(pq.ParquetWriter, "write_table", refuse(errno.ENOSPC))
        with pytest.raises(StorageError, match="is full"):
            store.make(ID, write, HEAD)
    assert visible(store.root) == []
    assert store.make(ID, write, HEAD).stats == {"rows": 24}


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk under ROOT is full"),
        (Exception("I/O error: No space left on device (os error 28)"), "the disk under ROOT is full"),
        (OSError(errno.EACCES, "Permission denied", "/x/y"), "no permission for /x/y"),
        (OSError(errno.EROFS, "Read-only file system"), "no permission for ROOT"),
        (OSError(errno.EEXIST, "File exists", "/x"), "/x is in the way"),
    ],
)
def test_what_the_system_says_is_put_into_a_sentence(raised: Exception, told: str) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(Path("ROOT")):
        raise raised
    assert caught.value.message == told
    assert caught.value.hint
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("raised", [ValueError("no"), FileNotFoundError(errno.ENOENT, "no"), ArtifactError("no")])
def test_other_errors_pass_as_they_are(raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught, storage_errors(Path()):
        raise raised
    assert caught.value is raised


def test_a_folder_that_is_not_ours(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", refuse(errno.EACCES, str(store.root)))
    with pytest.raises(StorageError, match=f"no permission for {store.root}") as caught:
        made(store)
    assert "out=DIR" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(store: Store) -> None:
    store.root.mkdir(mode=0o500)
    with pytest.raises(StorageError, match="no permission for"):
        made(store)


def test_a_file_where_a_folder_has_to_stand(store: Store) -> None:
    store.root.touch()
    with pytest.raises(StorageError, match=f"{store.root} is in the way"):
        made(store)


# Fingerprints -------------------------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda x: st.lists(x, max_size=2) | st.dictionaries(st.text(max_size=3), x, max_size=3),
    max_leaves=6,
)


@given(config=st.dictionaries(st.text(max_size=3), PLAIN, max_size=4))
def test_the_order_of_keys_does_not_matter(config: dict[str, Any]) -> None:
    backwards = dict(reversed(config.items()))
    assert fingerprint({**HEAD, "config": config}) == fingerprint({**dict(reversed(HEAD.items())), "config": backwards})


@given(one=PLAIN, two=PLAIN)
def test_another_config_is_another_name(one: Any, two: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert (fingerprint({**HEAD, "config": one}) == fingerprint({**HEAD, "config": two})) == same


@pytest.mark.parametrize("key", ["stage", "stage_version", "config", "pins", "inputs"])
def test_whatever_decides_the_result_decides_the_name(key: str) -> None:
    assert fingerprint(HEAD) != fingerprint(HEAD | {key: {"other": 1}})


def test_what_does_not_decide_the_result_does_not() -> None:
    assert fingerprint(HEAD) == fingerprint(HEAD | {"external": {"model-x": "/moved"}, "kind": "messages"})


# Checking -----------------------------------------------------------------------------------------------------------


def edited(folder: Path) -> None:
    (folder / "deep" / "b.txt").write_text("c", encoding="utf-8")


def missing(folder: Path) -> None:
    (folder / "a.txt").unlink()


def added(folder: Path) -> None:
    (folder / "deep" / "c.txt").touch()


def manifest_edited(folder: Path) -> None:
    path = folder / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace('"rows": 2', '"rows": 3'), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (edited, "deep/b.txt was changed after it was made"),
        (missing, "a.txt is gone"),
        (added, "deep/c.txt was added after it was made"),
        (manifest_edited, "manifest.json was changed after it was made"),
    ],
)
def test_verify_finds_every_kind_of_change(store: Store, change: Callable[[Path], None], told: str) -> None:
    folder = made(store).path
    store.open(ID).verify()
    change(folder)
    with pytest.raises(ArtifactError) as caught:
        store.open(ID).verify()
    assert caught.value.message == f"{ID}/{told}"
    assert str(folder) in caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 1, "kind": "x", "inputs": {}}'])
def test_a_manifest_that_is_none_says_so(store: Store, text: str) -> None:
    (made(store).path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match="is not a manifest"):
        store.open(ID)


def test_numbers_under_keys_that_are_no_text_seal_as_they_are_read(store: Store) -> None:
    stats = {"by_length": {9: 1, 10: 2, 100: 3}, "pair": (1, 2)}
    artifact = store.make(ID, lambda out: stats, HEAD)
    artifact.verify()
    assert artifact.stats == {"by_length": {"9": 1, "10": 2, "100": 3}, "pair": [1, 2]}


# Finding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["messages-1", "", ".", "..", "deep/er", f"../artifacts/{ID}"])
def test_a_store_has_only_whole_artifacts_by_their_ids(store: Store, name: str) -> None:
    made(store)
    assert store.has(ID)
    assert not store.has(name)
    with pytest.raises(ArtifactError, match="no artifact"):
        store.open(name)


def test_ids_come_oldest_first(store: Store) -> None:
    for n in (2, 0, 1):
        os.utime(made(store, f"messages-{n}").path / MANIFEST, (n, n))
    assert store.ids() == ["messages-0", "messages-1", "messages-2"]
    assert Store(store.root / "nowhere").ids() == []


def test_lineage_goes_from_the_first_ancestor_to_the_artifact_each_once(store: Store, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    made(store, "messages-1")
    made(
        store,
        "model-1",
        inputs={"data": "messages-1", "base": "model-external"},
        external={"model-external": str(model)},
    )
    last = made(store, "evaluation-1", inputs={"model": "model-1", "data": "messages-1"})
    assert store.lineage(last.id) == ["messages-1", "model-external", "model-1", "evaluation-1"]
    assert last.parent("model").id == "model-1"
    assert {n: p.id for n, p in store.open("model-1").parents().items()} == {
        "data": "messages-1",
        "base": "model-external",
    }
    assert store.open("model-1").parent("base").path == model


def test_ancestors_may_go_and_are_still_named(store: Store, tmp_path: Path) -> None:
    made(store, "messages-1")
    outside = {"messages-2": str(tmp_path / "gone")}
    last = made(store, "model-1", inputs={"data": "messages-1", "trusted": "messages-2"}, external=outside)
    shutil.rmtree(store.root / "messages-1")
    assert store.lineage("model-1") == ["messages-1", "messages-2", "model-1"]
    with pytest.raises(ArtifactError, match="no artifact messages-1"):
        last.parent("data")
    with pytest.raises(ArtifactError, match=f"messages-2 is gone from {tmp_path / 'gone'}"):
        last.parent("trusted")


def test_an_artifact_of_another_store_is_opened_with_its_own_ancestors(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    made(other, "messages-1")
    scores = made(other, "scores-1", inputs={"data": "messages-1"})
    last = made(store, "selection-1", inputs={"scores": "scores-1"}, external={"scores-1": str(scores.path)})
    assert last.parent("scores").parent("data").path == other.root / "messages-1"
    assert store.lineage("selection-1") == ["messages-1", "scores-1", "selection-1"]


def test_a_model_folder_from_elsewhere_is_an_artifact_without_a_seal(tmp_path: Path) -> None:
    found = external(tmp_path, "model-external-1")
    assert (found.kind, found.id, found.stats, found.parents()) == ("model", "model-external-1", {}, {})
    found.verify()


# Files --------------------------------------------------------------------------------------------------------------


def test_json_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"b": "é", "a": 1})
    assert path.read_text(encoding="utf-8") == '{\n  "b": "é",\n  "a": 1\n}\n'
    monkeypatch.setattr(os, "replace", refuse(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        write_json(path, {})
    assert json.loads(path.read_text(encoding="utf-8")) == {"b": "é", "a": 1}


def test_records_come_back_as_they_went(tmp_path: Path) -> None:
    path, rows = tmp_path / "messages.parquet", tiny_pool(50)
    assert write_table(path, iter(rows), Record) == 50
    assert list(read_rows(path)) == rows
    assert next(read_rows(path, ["answer", "id"])).keys() == {"answer", "id"}
    head = (tmp_path / "messages.head.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in head] == rows[:HEAD_ROWS]


class Everything(TypedDict):
    text: str
    whole: int
    share: float
    true: bool
    maybe: int | None
    many: list[float]
    deep: list[Record]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.none() | st.integers(-9, 9)), max_size=30))
def test_every_type_of_a_row_has_a_column(tmp_path: Path, rows: list[tuple[str, int | None]]) -> None:
    made_up = [
        {"text": t, "whole": 2**40, "share": 0.5, "true": True, "maybe": m, "many": [0.25], "deep": tiny_pool(1)}
        for t, m in rows
    ]
    assert write_table(tmp_path / "x.parquet", made_up, Everything) == len(rows)
    assert list(read_rows(tmp_path / "x.parquet")) == made_up


def test_a_table_streams_in_chunks(tmp_path: Path) -> None:
    def rows() -> Any:
        for n in range(2 * CHUNK_ROWS + 1):
            most.append(n - written.count("x") * CHUNK_ROWS)
            yield {"n": n}

    class Row(TypedDict):
        n: int

    most: list[int] = []
    written: list[str] = []
    write = pq.ParquetWriter.write_table

    def counted(self: Any, table: Any) -> None:
        written.append("x")
        write(self, table)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", counted)
        assert write_table(tmp_path / "n.parquet", rows(), Row) == 2 * CHUNK_ROWS + 1
    assert max(most) <= CHUNK_ROWS, "never more than a chunk waits in memory"
    assert pq.read_table(tmp_path / "n.parquet")["n"].to_pylist() == list(range(2 * CHUNK_ROWS + 1))


def test_an_empty_table_has_its_columns_and_no_head(tmp_path: Path) -> None:
    assert write_table(tmp_path / "x.parquet", [], Record) == 0
    assert pq.read_schema(tmp_path / "x.parquet").names == list(Record.__annotations__)
    assert not (tmp_path / "x.head.jsonl").exists()


def test_a_table_of_an_artifact_is_read_by_name(store: Store) -> None:
    store.make(ID, lambda out: {"rows": write_table(out / "messages.parquet", tiny_pool(3), Record)}, HEAD)
    found = store.open(ID)
    assert [r["id"] for r in found.rows("messages")] == found.table("messages", ["id"])["id"].to_pylist()
    assert found.columns("messages") == list(Record.__annotations__)


def test_the_module_is_light() -> None:
    assert not {"pyarrow", "pydantic"} & set(vars(artifacts)), "heavy imports stay inside functions"


def test_a_parent_that_was_changed_is_refused(store: Store) -> None:
    parent = made(store)
    child = made(store, "scores-000000000000", inputs={"data": ID})
    assert child.parent("data").id == ID
    (parent.path / "a.txt").write_text("edited", encoding="utf-8")
    with pytest.raises(ArtifactError, match=f"{ID}/a.txt was changed"):
        child.parent("data")
    assert store.lineage(child.id) == [ID, child.id], "to name an ancestor needs no reading of it"


def test_a_file_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, reads, read = tmp_path / "a", [], artifacts._digest
    monkeypatch.setattr(artifacts, "_digest", lambda p: reads.append(p) or read(p))
    path.write_text("a", encoding="utf-8")
    first = artifacts.file_hash(path)
    assert (artifacts.file_hash(path), len(reads)) == (first, 1)
    path.write_text("ab", encoding="utf-8")
    assert artifacts.file_hash(path) != first


def test_to_verify_reads_every_byte_whatever_the_clock_says(store: Store) -> None:
    path = made(store).path / "a.txt"
    artifacts.file_hash(path)
    stat = path.stat()
    path.write_text("x", encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ArtifactError, match="was changed"):
        store.open(ID).verify()
