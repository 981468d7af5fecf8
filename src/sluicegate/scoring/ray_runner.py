"""The same workers under Ray Data: only the numbers of shards travel, the shards themselves are files."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from sluicegate.errors import MissingError, SluiceError
from sluicegate.runtime import pick_device, progress
from sluicegate.scoring.passes import Pass
from sluicegate.scoring.work import Work, Worker


def check_installed() -> None:
    """Raise `MissingError` where there is no ray."""
    if find_spec("ray") is None:
        raise MissingError("engine=ray needs ray", "get it with: pip install 'sluicegate[ray]'")


def run(work: Work, workers: int) -> None:
    """Score every shard that does not stand yet, pass by pass, in workers that open each model once."""
    todo = [(step, numbers) for step in work.passes if (numbers := work.missing(step))]
    if not todo:
        return
    with _ray(workers):
        for step, numbers in todo:
            _run_pass(work, step, numbers, workers)


class _ShardWorker:
    """What Ray starts: a `Worker` that gets the numbers of shards in batches of one."""

    def __init__(self, work: Work, step: Pass) -> None:
        self.worker = Worker(work, step, work.encoder())

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        # What a user can mend is not told from here: who merges finds the shard missing, tries it, and tells it.
        with suppress(SluiceError):
            self.worker.score(int(batch["id"][0]), lambda n: None)
        return batch


def _run_pass(work: Work, step: Pass, numbers: list[int], workers: int) -> None:
    import ray.data

    gpus = int(pick_device().startswith("cuda"))
    todo = ray.data.from_items([{"id": n} for n in numbers], override_num_blocks=len(numbers))
    pool = ray.data.ActorPoolStrategy(size=workers)
    done = todo.map_batches(
        _ShardWorker, fn_constructor_args=(work, step), batch_size=1, compute=pool, num_cpus=1, num_gpus=gpus
    )
    with progress() as bar:
        task = bar.add_task(f"score ({step.name})", total=len(numbers))
        for _ in done.iter_rows():
            bar.advance(task)


@contextmanager
def _ray(workers: int) -> Iterator[None]:
    """The cluster that `RAY_ADDRESS` or whoever called us is in, or one of our own, as large as is asked for."""
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # or each worker's start is told as an error
    cpus = None if "RAY_ADDRESS" in os.environ else workers + 1
    ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()
