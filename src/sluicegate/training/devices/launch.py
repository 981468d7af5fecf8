"""How many processes a training runs in, and how they are started where none of them runs yet: as torchrun does."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sluicegate.errors import ConfigError, SluiceError
from sluicegate.peers import FAILURE, read_failure
from sluicegate.training.devices.launch_config import LaunchConfig

PATIENCE_S = 120
"""What processes that are told to end may take, to save what they have for example, before they are killed."""


def processes(config: LaunchConfig) -> int:
    """As many as it says; by itself one for each GPU that `CUDA_VISIBLE_DEVICES` leaves, one without a GPU.

    Raises:
        ConfigError: a launcher started this process alone, and was asked for more.
    """
    _check_launcher()
    if config.processes != "auto":
        return config.processes
    import torch

    return max(1, torch.cuda.device_count())


def _check_launcher() -> None:
    """`accelerate launch --cpu --num_processes 2` sets where processes would meet, and starts one."""
    told = os.environ.keys()
    if "ACCELERATE_MIXED_PRECISION" in told and "MASTER_ADDR" in told and "WORLD_SIZE" not in told:
        hint = "torchrun --nproc-per-node 2 -m sluicegate …, or launch.processes=2 without a launcher"
        raise ConfigError("accelerate launch was asked for several processes, and on a CPU it starts one", hint)


def launch(arguments: Sequence[str], n: int, name: str, logs: Path) -> None:
    """Run this command with `arguments` in n processes of this machine that work together, to the end.

    The first of them speaks for all; what the others print is in `logs`. SIGTERM and Ctrl-C go on to them.

    Raises:
        SluiceError: as the process raised it that failed first.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher import LaunchConfig as Elastic
    from torch.distributed.launcher import elastic_launch

    config = Elastic(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=n,
        run_id=name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        shutdown_timeout=PATIENCE_S,
        logs_specs=DefaultLogsSpecs(str(logs), redirects=dict.fromkeys(range(1, n), Std.ALL)),
    )
    logs.mkdir(parents=True, exist_ok=True)
    failure = logs / f".{name}.failure.json"
    failure.unlink(missing_ok=True)
    try:
        with _surroundings(failure, n):
            elastic_launch(config, sys.executable)("-m", "sluicegate", *arguments)
    except SignalException:
        raise KeyboardInterrupt from None
    except ChildFailedError as err:
        raise (
            _shot(err.failures, logs) or read_failure(failure) or SluiceError(f"{n} processes failed", f"see {logs}")
        ) from None
    finally:
        failure.unlink(missing_ok=True)


def _shot(failures: Mapping[int, Any], logs: Path) -> SluiceError | None:
    """What to say of a process that could not say why it ended; what the others say is only that it is gone."""
    for one, failure in failures.items():
        if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM:
            hint = f"out of memory, if it was not you (see dmesg); what it printed is in {logs}"
            return SluiceError(f"process {one} was ended by {failure.signal_name()}", hint)
    return None


@contextmanager
def _surroundings(failure: Path, n: int) -> Iterator[None]:
    """What the processes inherit; the agent that watches them leaves its signal handlers behind, and tells a lot."""
    mine = {FAILURE: str(failure), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(_threads(n)))}
    before = {name: os.environ.get(name) for name in mine}
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)}
    level = logging.root.manager.disable
    os.environ.update(mine)
    logging.disable()
    try:
        yield
    finally:
        logging.disable(level)
        for one, handler in handlers.items():
            signal.signal(one, handler)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _threads(n: int) -> int:
    """Of each process: together they have the cores."""
    return max(1, len(os.sched_getaffinity(0)) // n)
