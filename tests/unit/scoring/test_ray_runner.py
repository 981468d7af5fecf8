"""Ray is started where there is something to do, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.artifacts import write_table
from sluicegate.schema import Record
from sluicegate.scoring import ray_runner
from sluicegate.scoring.passes import build_options, plan_passes
from sluicegate.scoring.shards import Shards, write_shard
from sluicegate.scoring.work import Work
from sluicegate.testing import tiny_pool


def test_ray_is_not_started_for_shards_that_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path / "messages.parquet", tiny_pool(4), Record)
    passes = plan_passes(build_options(["length"], {}), {})
    work = Work(tmp_path, Shards(tmp_path / "messages.parquet", 4), passes, tmp_path, None, {}, 256, 4096)
    write_shard(work.path(passes[0], 0), {"id": ["a"]})
    monkeypatch.setattr(ray_runner, "_ray", lambda workers: pytest.fail("Ray was started"))
    ray_runner.run(work, 2)
