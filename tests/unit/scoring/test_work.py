"""However many processes share the work, every shard is scored once and comes out the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import write_table
from sluicegate.config import Config
from sluicegate.schema import Record
from sluicegate.scoring import forward
from sluicegate.scoring.base import Read, Shard, Signal
from sluicegate.scoring.forward import Reader
from sluicegate.scoring.passes import Pass, build_options, plan_passes
from sluicegate.scoring.shards import FOLDER, Shards
from sluicegate.scoring.work import Work, score_part, share_part
from sluicegate.testing import tiny_model, tiny_pool

ROWS, SIZE = 11, 2
Make = Callable[..., Work]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("work") / "base")


@pytest.fixture
def make(tmp_path: Path, base: Path) -> Make:
    """`make(name)`: the perplexity of eleven rows, two a shard, to be worked out in a folder of that name."""
    write_table(tmp_path / "messages.parquet", tiny_pool(ROWS), Record)

    def work(name: str, passes: Sequence[Pass] = ()) -> Work:
        (tmp_path / name).mkdir()
        passes = passes or plan_passes(build_options(["perplexity", "random"], {}), {})
        return Work(tmp_path / name, Shards(tmp_path / "messages.parquet", SIZE), passes, base, None, {}, 256, 4096)

    return work


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The id of every row that a model reads."""
    see, ids = Reader.see, []
    monkeypatch.setattr(
        Reader, "see", lambda self, rows, *args: ids.extend(row.id for row in rows) or see(self, rows, *args)
    )
    return ids


def files(work: Work) -> dict[str, pa.Table]:
    """Every shard; what it cost stands in the metadata, which equal tables may differ in."""
    return {path.name: pq.read_table(path) for path in (work.out / FOLDER).glob("*.parquet")}


def test_parts_are_all_of_the_work_and_no_row_is_in_two(make: Make, read: list[str]) -> None:
    whole, parts = make("whole"), make("parts")
    score_part(whole, whole.encoder())
    read.clear()
    told = [share_part(parts, part, 4) for part in range(4)]
    assert sorted(read) == sorted(record["id"] for record in tiny_pool(ROWS))
    assert told == [{"rows": n_rows, "shards": n} for n_rows, n in ((4, 2), (3, 2), (2, 1), (2, 1))]
    assert files(parts) == files(whole)


def test_a_part_that_is_done_opens_no_model_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    work = make("out")
    told = share_part(work, 1, 3)
    monkeypatch.setattr(forward, "load_plain", lambda *asked: pytest.fail("a model was loaded"))
    assert share_part(work, 1, 3) == told
    assert not list((work.out / FOLDER).glob("part-0*"))


def test_a_part_that_was_stopped_is_not_marked_and_goes_on(
    make: Make, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = make("out")

    def stops(self: Reader, rows: Any, *args: Any) -> Any:
        if len(read) == 2 * SIZE:
            raise KeyboardInterrupt
        return see(self, rows, *args)

    see = Reader.see
    with monkeypatch.context() as patch:
        patch.setattr(Reader, "see", stops)
        with pytest.raises(KeyboardInterrupt):
            share_part(work, 0, 2)
    assert not list((work.out / FOLDER).glob("*.done"))
    share_part(work, 0, 2)
    assert len(read) == len(set(read)) == 3 * SIZE


def test_a_worker_beyond_the_last_shard_has_nothing_to_do(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "load_plain", lambda *asked: pytest.fail("a model was loaded"))
    assert share_part(make("out"), 6, 7) == {"rows": 0, "shards": 0}


def test_what_nobody_did_is_missing(make: Make, read: list[str]) -> None:
    work = make("out")
    (step,) = work.passes
    share_part(work, 1, 2)
    assert work.missing(step) == [0, 2, 4]
    read.clear()
    score_part(work, work.encoder())
    assert len(read) == 3 * SIZE
    assert work.missing(step) == []


class Pupil(Signal):
    name = "pupil"
    lessons: ClassVar[list[list[dict[str, Any]]]] = []

    def fit(self, read: Read, trusted: Sequence[Record], config: Any) -> int:
        Pupil.lessons.append([dict(record) for record in trusted])
        return len(trusted)

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        return [float(shard.learned)] * len(shard.records)


def test_a_process_learns_once_without_meta_and_only_where_it_scores(make: Make, tmp_path: Path) -> None:
    write_table(tmp_path / "trusted.parquet", tiny_pool(5), Record)
    step = Pass("nothing", {"pupil": (Pupil(), Config())}, gated=False)
    work = replace(make("out", [step]), trusted=tmp_path / "trusted.parquet")
    Pupil.lessons.clear()
    share_part(work, 0, 2)
    assert [len(trusted) for trusted in Pupil.lessons] == [5]
    assert {key for record in Pupil.lessons[0] for key in record} == set(Record.__annotations__) - {"meta"}
    share_part(work, 1, 2)
    score_part(work, work.encoder())
    assert len(Pupil.lessons) == 2


class Nosy(Signal):
    name = "nosy"
    seen: ClassVar[list[set[str]]] = []

    def score(self, shard: Shard, config: Any) -> Sequence[float | str]:
        Nosy.seen += [set(record) for record in shard.records]
        return [0.0] * len(shard.records)


def test_no_signal_gets_to_see_meta(make: Make) -> None:
    work = make("out", [Pass("nothing", {"nosy": (Nosy(), Config())}, gated=False)])
    score_part(work, work.encoder())
    assert set(map(frozenset, Nosy.seen)) == {frozenset(Record.__annotations__) - {"meta"}}
