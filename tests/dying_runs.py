"""Runs in processes of their own that are shot dead, at a moment of one's choice or at any."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sluicegate.pipeline import run
from sluicegate.scoring import merge
from sluicegate.scoring.shards import FOLDER

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["sluicegate.scoring.forward", "transformers.models.auto.modeling_auto"])


def start(recipe: Mapping[str, Any], out: Path, moment: str = "", nth: int = 0) -> Any:
    """A process that runs a recipe, and dies at a moment of `MOMENTS`, the n-th time it comes, if one is named."""
    import torch

    process = forks.Process(target=_run, args=(recipe, out, moment, nth, torch.get_num_threads()))
    process.start()
    return process


def _run(recipe: Mapping[str, Any], out: Path, moment: str, nth: int, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)  # sums come out in another order with another number
    if moment:
        {**MOMENTS, **TRAINING_MOMENTS}[moment](nth)
    run(recipe, out)


def _while_a_shard_is_written(nth: int) -> None:
    write, left = pq.write_table, iter(range(nth))

    def tears(table: Any, path: Path) -> None:
        write(table, path)
        if next(left, None) is None:
            os.truncate(path, path.stat().st_size // 2)
            _die()

    pq.write_table = tears


def _before_a_move(pattern: str) -> Callable[[int], None]:
    """Everything is written under another name first; dies when only the move to its own name is left."""

    def patch(nth: int) -> None:
        replace, left = os.replace, iter(range(nth))

        def dies(draft: Path, path: Path) -> None:
            if Path(path).match(pattern) and next(left, None) is None:
                _die()
            replace(draft, path)

        os.replace = dies

    return patch


def _while_merging(nth: int) -> None:
    join, left = merge.side_by_side, iter(range(nth))
    merge.side_by_side = lambda tables: join(tables) if next(left, None) is not None else _die()


def _while_shards_are_taken_away(nth: int) -> None:
    remove = shutil.rmtree

    def dies(folder: Path, ignore_errors: bool) -> None:
        if folder.name != FOLDER:
            return remove(folder, ignore_errors)
        for path in sorted(folder.iterdir())[:nth]:
            path.unlink()
        _die()

    shutil.rmtree = dies


def _while_a_checkpoint_is_written(nth: int) -> None:
    from sluicegate.training.saving import resumable

    write, left = resumable.save_file, iter(range(nth))

    def tears(tensors: Any, path: Path) -> None:
        write(tensors, path)
        if next(left, None) is None:
            os.truncate(path, path.stat().st_size // 2)
            _die()

    resumable.save_file = tears


def _before_a_checkpoint_is_in_place(nth: int) -> None:
    rename, left = Path.rename, iter(range(nth))

    def dies(path: Path, target: Path) -> Path:
        if path.name.startswith(".step-") and next(left, None) is None:
            _die()
        return rename(path, target)

    Path.rename = dies  # type: ignore[method-assign]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


MOMENTS: dict[str, Callable[[int], None]] = {
    "while a shard is written": _while_a_shard_is_written,
    "before a shard is in place": _before_a_move("shards/*.parquet"),
    "while the table is merged": _while_merging,
    "before the table is in place": _before_a_move("artifacts/.scores-*/scores.parquet"),
    "while shards are taken away": _while_shards_are_taken_away,
    "before the seal": _before_a_move("artifacts/.scores-*/manifest.json"),
}

TRAINING_MOMENTS: dict[str, Callable[[int], None]] = {
    "while a checkpoint is written": _while_a_checkpoint_is_written,
    "before a checkpoint is sealed": _before_a_move("checkpoints.draft/.step-*/manifest.json"),
    "before a checkpoint is in place": _before_a_checkpoint_is_in_place,
    "before the model is sealed": _before_a_move("artifacts/.model-*/manifest.json"),
}
