from __future__ import annotations

import gzip
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_files import ON_DISK, write, write_any
from sluicegate.data import readers
from sluicegate.data.readers import check, files, read, stem
from sluicegate.errors import DataError


def names(found: list[Path]) -> list[str]:
    return [path.name for path in found]


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        ("x.jsonl", b"", "has no rows", "empty file"),
        ("x.jsonl", b"\n \n", "has no rows", "empty file"),
        ("x.jsonl", b"\xef\xbb\xbf\n", "has no rows", "empty file"),
        ("x.json", b"[]", "has no rows", "empty file"),
        ("x.csv", b"a,b\n", "has no rows", "empty file"),
        ("x.jsonl.gz", b"no gzip", "not whole after line 0", "again"),
        ("x.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 9, mtime=0)[:-12], "not whole after line", "again"),
        ("x.txt", b"a", "unknown ending", ".jsonl"),
        ("x.parquet.gz", b"a", "unknown ending", ".jsonl"),
        ("x.arrow.zst", b"a", "unknown ending", "all but .parquet and .arrow also with .gz, .zst, .xz"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_with_a_place_and_a_hint(
    tmp_path: Path, name: str, content: bytes, message: str, hint: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 3


def test_a_missing_file_gets_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path / "pool.jsonl", "{}")
    with pytest.raises(DataError, match=r"no file .*pol\.jsonl") as caught:
        list(read(tmp_path / "pol.jsonl"))
    assert caught.value.hint == "did you mean 'pool.jsonl'?"
    with pytest.raises(DataError, match="no file"):
        list(read(tmp_path / "nowhere" / "pool.jsonl"))


def test_a_file_of_someone_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.jsonl", "{}")

    def refuse(*args: object, **kw: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="may not be read"):
        check(path)


def test_a_folder_is_the_files_in_it_by_name_but_for_what_is_no_data(tmp_path: Path) -> None:
    for name in ("b.jsonl.gz", "a.json", "c.jsonl.zst", ".hidden.json", "notes.txt", "dataset_info.json", "state.json"):
        write(tmp_path / name, "")
    (tmp_path / "inner.json").mkdir()
    assert names(files(tmp_path)) == ["a.json", "b.jsonl.gz", "c.jsonl.zst"]
    with pytest.raises(DataError, match="is a folder, where a file is needed"):
        list(read(tmp_path))


def test_a_glob_is_the_files_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one/b.jsonl", "one/a.jsonl", "two/c.jsonl", "two/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write(tmp_path / name, "{}")
    assert names(files(tmp_path / "*" / "*")) == ["a.jsonl", "b.jsonl", "c.jsonl"]
    assert names(files(tmp_path / "**" / "[bc].jsonl")) == ["b.jsonl", "c.jsonl"]
    monkeypatch.chdir(tmp_path)
    assert files(Path("two/*.jsonl")) == [Path("two/c.jsonl")]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a[1].jsonl", "{}")
    assert files(path) == [path]
    assert stem(path) == "a[1]"


@pytest.mark.parametrize("name", ["empty", "*.jsonl"])
def test_a_folder_or_a_glob_without_a_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no file that can be read") as caught:
        files(tmp_path / name)
    assert caught.value.hint


def test_the_stem_is_the_name_without_endings_or_the_folder(tmp_path: Path) -> None:
    known = ("d/gsm8k.jsonl.gz", "d/gsm8k.json.zst", "a.b.csv", "x.parquet", "sets/wild.chat", "sets/cot/*.jsonl")
    assert [stem(Path(p)) for p in known] == ["gsm8k", "gsm8k", "a.b", "x", "wild.chat", "cot"]
    (tmp_path / "v1.jsonl").mkdir()
    assert readers.stem(tmp_path / "*.jsonl") == tmp_path.name


NAMES = ["x.jsonl", "x.json", "x.csv", "x.parquet", "x.arrow", "x.jsonl.gz", "x.jsonl.zst", "x.csv.xz"]


@ON_DISK
@given(content=st.binary(max_size=200), name=st.sampled_from(NAMES))
def test_any_bytes_end_in_rows_or_in_a_data_error(tmp_path: Path, content: bytes, name: str) -> None:
    path = write(tmp_path / name, content)
    with suppress(DataError):
        assert list(read(path))


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.jsonl.zst", "x.arrow", "x.parquet"])
def test_a_longer_file_takes_no_more_memory(tmp_path: Path, name: str) -> None:
    peaks = []
    for n_rows in (10_000, 50_000):
        rows = [{"prompt": f"{n} " * 40, "completion": f"{n} " * 80} for n in range(n_rows)]
        path = write_any(tmp_path / name, rows)
        del rows
        tracemalloc.start()
        assert sum(1 for _ in read(path)) == n_rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A small block of a .zst file may hold several of its 30 megabytes.
    assert peaks[1] < (8e6 if name.endswith(".zst") else 1.3 * peaks[0]), peaks
