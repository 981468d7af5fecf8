"""One table, byte for byte, whoever makes it: one process, two ranks of a launcher, three workers and a merge."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_processes import asked, assert_same, done, end, make_inputs, scores, start
from sluicegate.artifacts import Artifact

pytestmark = pytest.mark.slow

LAUNCHER = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    make_inputs(folder, rows=60)
    return folder


@pytest.fixture(scope="module")
def alone(root: Path) -> Artifact:
    """Made by one process."""
    done(start(asked(root, root / "alone")))
    return scores(root / "alone")


def test_two_ranks_make_the_table_that_one_process_makes(root: Path, alone: Artifact) -> None:
    said = done(start([*LAUNCHER, *asked(root, root / "ranks")]))
    assert said.count("part  0 of 2: rows 32, shards 8") == 1, "only the first rank speaks"
    other = (root / "ranks/log/rank1.log").read_text(encoding="utf-8")
    assert "part  1 of 2: rows 28, shards 7" in other
    assert_same(scores(root / "ranks"), alone)


def test_three_workers_and_a_merge_make_it_too(root: Path, alone: Artifact) -> None:
    workers = [start(asked(root, root / "workers", f"shard={i}/3")) for i in range(3)]
    for i, worker in enumerate(workers):
        assert f"part  {i} of 3: rows 20, shards 5" in done(worker)
    assert not list((root / "workers").glob("artifacts/scores-*")), "parts are no artifact"
    assert "float32 on" not in done(start(asked(root, root / "workers"))), "no model is opened for a merge"
    assert_same(scores(root / "workers"), alone)


def test_a_rank_that_fails_ends_the_others(root: Path, tmp_path: Path) -> None:
    (tmp_path / "log/rank1.log").mkdir(parents=True)  # in the way of a log
    code, said = end(start([*LAUNCHER, *asked(root, tmp_path)]))
    assert code == 1, said
