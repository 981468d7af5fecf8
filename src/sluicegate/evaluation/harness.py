"""The lm-evaluation-harness (arXiv 2405.14782) over a model that is open already."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate import runtime
from sluicegate.errors import ConfigError, MissingError
from sluicegate.evaluation.harness_data import write_local_task
from sluicegate.registry import did_you_mean

if TYPE_CHECKING:
    from sluicegate.evaluation.harness_config import HarnessConfig
    from sluicegate.models.load import Loaded

INSTALL = 'pip install "sluicegate[harness]"'
COUNTED = ("acc", "exact_match", "acc_norm")
"""Metrics by which a question counts as right, the first that it has."""


def ask_harness(loaded: Loaded, config: HarnessConfig, work: Path) -> dict[str, Any]:
    """What `lm_eval.simple_evaluate` gives: `results`, `groups`, `n-samples` and the `samples` of every task.

    Args:
        work: a folder for the tasks' own YAML; it may be deleted afterwards.

    Raises:
        MissingError: the harness is not installed, or a task's data is not there.
        ConfigError: it knows no such task.
    """
    with _quiet():
        try:
            from lm_eval import evaluator
            from lm_eval.models.huggingface import HFLM
        except ImportError as err:
            raise MissingError("the lm-evaluation-harness is not installed", INSTALL) from err
        evaluator.get_git_commit_hash = lambda: None  # of the folder it runs in, where git complains of others
        batch = "auto" if config.batch_size == "auto" and loaded.device.type == "cuda" else _size(config)
        model: Any = HFLM(
            pretrained=loaded.model, tokenizer=loaded.tokenizer, backend="causal", batch_size=batch, max_batch_size=64
        )
        found = evaluator.simple_evaluate(
            model,
            tasks=config.tasks,
            task_manager=task_manager(config, work),
            num_fewshot=config.num_fewshot,
            limit=config.limit if config.limit is None or config.limit < 1 else int(config.limit),
            apply_chat_template=config.chat_template,
            random_seed=config.seed,
            numpy_random_seed=config.seed,
            torch_random_seed=config.seed,
            fewshot_random_seed=config.seed,
            bootstrap_iters=1000,
        )
    return found


def task_manager(config: HarnessConfig, work: Path) -> Any:
    """Every task of the harness; those asked for over local files where there is a `data_dir`."""
    from lm_eval.tasks import TaskManager

    packaged = TaskManager()
    for name in config.tasks:
        if name not in packaged.all_tasks:
            hint = did_you_mean(name, packaged.all_tasks) or "lm-eval ls tasks names them all"
            raise ConfigError(f"the harness has no task '{name}'", hint)
    if config.data_dir is None:
        return packaged
    meant = {entry.name: entry for name in config.tasks for entry in below(packaged.task_index, name)}
    for name, entry in meant.items():
        if entry.kind.name == "PY_TASK" or entry.yaml_path is None:
            raise ConfigError(f"the task {name} reads its data by code of its own", "leave data_dir out")
        if entry.kind.name == "TASK":
            write_local_task(name, entry.yaml_path, entry.cfg, config.data_dir, work)
    folders = dict.fromkeys(entry.yaml_path.parent for entry in meant.values())
    return TaskManager(include_path=[*folders, work], include_defaults=False)


def below(index: Mapping[str, Any], name: str) -> Iterator[Any]:
    """The entry of a name and, of a group or a tag, all that it stands for."""
    entry = index[name]
    if entry.kind.name == "TAG":
        parts = [other for other, one in index.items() if name in one.tags]
    else:
        yield entry
        listed = entry.cfg["task"] if entry.kind.name == "GROUP" else []
        parts = [one if isinstance(one, str) else one.get("task") or one["group"] for one in listed]
    for part in parts:
        yield from below(index, part)


def _size(config: HarnessConfig) -> int:
    return 16 if config.batch_size == "auto" else config.batch_size


def judged(samples: Mapping[str, Any]) -> bool | None:
    """Whether a question counts as right; None by a metric that is no yes or no."""
    counted = next((samples[name] for name in COUNTED if name in samples), None)
    return None if counted is None or float(counted) not in (0.0, 1.0) else bool(counted)


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the harness says that is a fact about the model, without the samples, functions and paths it also tells."""
    kept = ("results", "groups", "group_subtasks", "versions", "n-shot", "higher_is_better", "n-samples")
    return json.loads(json.dumps({key: found[key] for key in kept if key in found}, default=str))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what it logs of its own doings, and bars where there is no terminal."""
    loggers = [logging.getLogger(name) for name in ("lm_eval", "lm-eval")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with nullcontext() if runtime.console().is_terminal else redirect_stderr(StringIO()):
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
