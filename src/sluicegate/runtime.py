"""What a process needs to know of its machine: rank, device, dtype, seeds, progress and the log."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch
    from rich.console import Console
    from rich.progress import Progress

T = TypeVar("T")


def rank() -> int:
    """This process's number under torchrun or accelerate; 0 alone."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many processes run together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch; on a CPU the same seed then gives the same bytes."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def pick_device() -> str:
    """`cuda`, `mps` or `cpu`, the first that is there."""
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_dtype(device: str, asked: str = "auto") -> tuple[torch.dtype, str]:
    """The dtype to load a model in, and the reason in words."""
    import torch

    if asked != "auto":
        return getattr(torch, asked), "asked for"
    if device.startswith("cuda"):
        bf16 = torch.cuda.is_bf16_supported()
        return (torch.bfloat16, "this GPU has it") if bf16 else (torch.float16, "this GPU has no bfloat16")
    if device == "cpu" and _cpu_has_bf16():
        return torch.float32, "exact, and bfloat16 on a CPU rarely gains"
    return torch.float32, "bfloat16 without hardware for it is many times slower"


def _cpu_has_bf16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


# What the user sees -------------------------------------------------------------------------------------------------


@cache
def console() -> Console:
    """The one console; only rank 0 speaks on it."""
    from rich.console import Console

    return Console(stderr=True, quiet=rank() != 0, highlight=False)


def say(text: str) -> None:
    """One line for the user, and for the log."""
    from rich.markup import escape

    _log("INFO", text)
    console().print(escape(text), soft_wrap=True)


def warn(text: str) -> None:
    """One line the user should not miss, and for the log."""
    from rich.markup import escape

    _log("WARNING", text)
    console().print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True)


def note(text: str) -> None:
    """One line for this process's log alone."""
    _log("INFO", text)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """The items, with a progress bar and an ETA while they pass."""
    known = len(items) if total is None and isinstance(items, Sized) else total
    with progress() as bar:
        task = bar.add_task(description, total=known)
        for item in items:
            yield item
            bar.advance(task)


@contextmanager
def progress(lines: bool = True) -> Iterator[Progress]:
    """A rich progress display in the house's columns.

    Args:
        lines: whether a console that is not a terminal gets a line now and then instead.
    """
    from rich import progress as rp

    from sluicegate.progress_lines import ProgressLines

    if not console().is_terminal:
        with ProgressLines(say if lines else lambda line: None) as told:
            yield told
        return
    done = [rp.TextColumn("  {task.description:32s}"), rp.BarColumn(), rp.MofNCompleteColumn()]
    time = [rp.TimeElapsedColumn(), rp.TextColumn("left"), rp.TimeRemainingColumn()]
    with rp.Progress(*done, *time, console=console(), transient=True) as bar:
        yield bar


_open_logs: list[Path] = []


def open_log(folder: Path) -> None:
    """Every process writes its own `rank<r>.log` in `folder`, rotated; console lines go there too."""
    from loguru import logger

    path = folder / f"rank{rank()}.log"
    if path in _open_logs:
        return
    folder.mkdir(parents=True, exist_ok=True)
    logger.remove()
    shape = "{time:YYYY-MM-DD HH:mm:ss} {level: <7} {message}"
    logger.add(path, format=shape, rotation="10 MB", retention=5, backtrace=False, diagnose=False)
    _open_logs[:] = [path]


def log_folder() -> Path | None:
    """Where this process's log is, None where none is open."""
    return _open_logs[0].parent if _open_logs else None


def log_failure(err: BaseException) -> Path | None:
    """Put an error and its traceback into the log; returns the log's path, None where none is open."""
    if not _open_logs:
        return None
    from loguru import logger

    logger.opt(exception=err).error(str(err))
    return _open_logs[0]


def _log(level: str, text: str) -> None:
    if _open_logs:
        from loguru import logger

        logger.log(level, text)
