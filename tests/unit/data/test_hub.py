from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cached_sets import COMMIT, cache_set
from fake_hub import fake_hub
from raw_files import write_jsonl
from sluicegate.config import build
from sluicegate.data import hub
from sluicegate.data.hub import HubSet
from sluicegate.errors import ConfigError, DataError, MissingError

ROWS = [{"question": f"q{n}", "answer": str(n)} for n in range(600)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of this test's own, and no network."""
    import datasets.config

    hub._builder.cache_clear()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    yield tmp_path / "datasets"
    hub._builder.cache_clear()


def rows(**keys: Any) -> list[Any]:
    return [row.value for chunk in build(HubSet, keys).chunks() for row in chunk.rows()]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_set_is_read_from_the_cache_and_pinned_by_its_commit(cache: Path, streaming: bool) -> None:
    cache_set(cache, ROWS)
    found = build(HubSet, {"hub": "nobody/sums", "config": "main", "streaming": streaming})
    assert found.commit() == COMMIT
    assert rows(hub="nobody/sums", config="main", streaming=streaming) == ROWS
    placed = [(chunk.first, chunk.n_rows) for chunk in found.chunks()]
    assert placed == [(1, 256), (257, 256), (513, 88)]
    assert [row.line for chunk in found.chunks() for row in chunk.rows()] == list(range(1, 601))


@pytest.mark.parametrize("streaming", [False, True])
def test_files_on_this_machine_go_the_same_way(tmp_path: Path, streaming: bool) -> None:
    (tmp_path / "set").mkdir()
    path = write_jsonl(tmp_path / "set" / "train.jsonl", ROWS)
    for keys in ({"hub": str(tmp_path / "set")}, {"hub": "json", "data_files": str(path)}):
        assert rows(**keys, streaming=streaming) == ROWS
        assert len(build(HubSet, keys).commit()) >= 16


def test_part_of_a_split(cache: Path) -> None:
    cache_set(cache, ROWS)
    assert rows(hub="nobody/sums", split="train[:2]") == ROWS[:2]


def test_rows_are_counted_by_what_is_known_of_the_split(cache: Path, tmp_path: Path) -> None:
    cache_set(cache, ROWS)
    path = write_jsonl(tmp_path / "train.jsonl", ROWS[:7])
    known = [
        ({"hub": "nobody/sums"}, 600),
        ({"hub": "nobody/sums", "split": "train[:9]"}, 9),
        ({"hub": "json", "data_files": str(path)}, 7),
    ]
    assert [build(HubSet, keys).n_rows() for keys, _ in known] == [n for _, n in known]


def test_nested_columns_come_as_they_are(cache: Path) -> None:
    nested = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}]
    cache_set(cache, nested)
    assert rows(hub="nobody/sums") == nested


def test_a_set_that_is_not_here_comes_with_the_command_that_gets_it() -> None:
    with pytest.raises(MissingError, match="nobody/sums cannot be read") as caught:
        build(HubSet, {"hub": "nobody/sums", "config": "main", "revision": "v1"}).commit()
    command = "load_dataset('nobody/sums', name='main', split='train', revision='v1')"
    assert f'python -c "from datasets import load_dataset; {command}"' in caught.value.hint
    assert "HF_ENDPOINT" in caught.value.hint
    assert caught.value.exit_code == 5


def test_another_commit_in_the_cache_is_not_taken_for_the_one_asked_for(cache: Path) -> None:
    cache_set(cache, ROWS)
    assert rows(hub="nobody/sums", revision=COMMIT) == ROWS
    for read in (lambda s: s.commit(), lambda s: list(s.chunks())):
        with pytest.raises(MissingError, match="the cache holds commit e53f048856ff, and not 000000"):
            read(build(HubSet, {"hub": "nobody/sums", "revision": "0" * 40}))


@pytest.mark.parametrize(
    ("keys", "error", "told"),
    [
        ({"config": "other"}, MissingError, "Couldn't find cache"),
        ({"split": "test"}, ConfigError, "test"),
        ({"split": "test", "streaming": True}, ConfigError, "test"),
        ({"split": "train[5:5]"}, ConfigError, "no data"),
    ],
)
def test_what_the_set_does_not_have_is_told(
    cache: Path, keys: dict[str, Any], error: type[Exception], told: str
) -> None:
    cache_set(cache, ROWS)
    with pytest.raises(error, match=told):
        rows(hub="nobody/sums", **keys)


def test_a_set_without_rows_is_told(cache: Path) -> None:
    cache_set(cache, ROWS[:0])
    with pytest.raises(DataError, match=r"nobody/sums \(train\) has no rows"):
        rows(hub="nobody/sums", streaming=True)


def test_several_configurations_want_a_name(cache: Path) -> None:
    for config in ("main", "socratic"):
        cache_set(cache, ROWS, config)
    with pytest.raises(ConfigError, match="multiple 'nobody/sums' configurations"):
        rows(hub="nobody/sums")


def test_what_is_read_of_a_set_is_told_apart() -> None:
    keys = {"hub": "json", "data_files": "a.jsonl", "revision": "v1", "config": "main"}
    assert build(HubSet, keys).place == "json (main, train, v1, a.jsonl)"


READ = """
import json, sys
from sluicegate.config import build
from sluicegate.data.hub import HubSet
from sluicegate.errors import MissingError
for keys in json.loads(sys.argv[1]):
    found = build(HubSet, {"hub": "nobody/sums", **keys})
    try:
        print(found.commit()[:4], found.n_rows(), [row.value["answer"] for c in found.chunks() for row in c.rows()][:2])
    except MissingError as err:
        print("missing", err.hint)
"""


def run(*sets: dict[str, Any], **environment: str) -> list[str]:
    """What a process of its own finds of some sets: the hub's environment is read when its library is imported."""
    given = {**os.environ, "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", **environment}
    command = [sys.executable, "-c", READ, json.dumps(sets)]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_cache_of_hf_home_is_used_offline(tmp_path: Path) -> None:
    cache_set(tmp_path / "datasets", ROWS)
    assert run({}, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1") == ["e53f 600 ['0', '1']"]
    (told,) = run({}, HF_HOME=str(tmp_path / "other"), HF_HUB_OFFLINE="1")
    assert told.startswith("missing fetch it")


@pytest.mark.slow
def test_the_mirror_of_hf_endpoint_is_asked_and_the_cache_it_fills_is_read(tmp_path: Path) -> None:
    files = {
        "README.md": b"---\nlicense: mit\n---\n",
        "train.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS[:5]).encode(),
    }
    sets: list[dict[str, Any]] = [{}, {"revision": "main"}, {"streaming": True}, {"data_files": "tr*.jsonl"}]
    with fake_hub(files) as (endpoint, asked):
        online = run(*sets, {"hub": "nobody/else"}, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0", HF_ENDPOINT=endpoint)
    assert online[:4] == ["aaaa 5 ['0', '1']"] * 4
    assert online[4].startswith("missing")
    assert any(path.startswith("/datasets/nobody/sums/resolve/main/") for path in asked)
    offline = run(*sets, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert offline[:3] == online[:3]
    assert "hf download nobody/sums --type dataset --include 'tr*.jsonl' --local-dir sums" in offline[3]
    assert "path: sums/tr*.jsonl" in offline[3]
