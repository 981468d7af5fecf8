"""Tasks of the harness over files of one's own: each gets a YAML that includes its packaged one and names the files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from sluicegate.errors import MissingError

FORMATS = {"jsonl": "json", "json": "json", "csv": "csv", "parquet": "parquet"}
"""Ending of a file to what `datasets` calls its format."""
SPLITS = ("test_split", "validation_split", "fewshot_split", "training_split")
READY: dict[str, tuple[set[str], dict[str, Any]]] = {
    "hellaswag": ({"query", "choices", "gold"}, {"process_docs": None, "doc_to_target": "{{gold}}"}),
}
"""Task to the columns of rows that were made ready before, and what its YAML then says otherwise."""


def write_local_task(task: str, packaged: Path, known: Mapping[str, Any], data: Path, out: Path) -> list[Path]:
    """Write the YAML of a task into `out`; returns the files that it reads.

    Args:
        packaged: where the harness keeps the task.
        known: what is said there.
        data: the folder to look for files in, see `local_files`.

    Raises:
        MissingError: none of its splits is there.
    """
    files = local_files(task, known, data)
    told: dict[str, Any] = {"include": str(packaged), "task": task, "dataset_name": None}
    told["dataset_path"] = FORMATS[next(iter(files.values())).suffix.lstrip(".")]
    told["dataset_kwargs"] = {"data_files": {split: str(path.resolve()) for split, path in files.items()}}
    told |= {key: None for key in SPLITS if known.get(key) and known[key] not in files}
    columns, instead = READY.get(task, (set(), {}))
    if columns and columns <= _columns(next(iter(files.values()))):
        told |= instead
    (out / f"{task}.yaml").write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return list(files.values())


def local_files(task: str, known: Mapping[str, Any], data: Path) -> dict[str, Path]:
    """Split to file, for the splits that are there.

    A task's one file is `TASK.jsonl`, which is what it is judged by; several are `TASK/SPLIT.jsonl`. The subjects of a
    set may also lie as their publishers lay them out: `SET/SPLIT/SUBJECT.csv` (CMMLU), `SET/SPLIT/SUBJECT_SPLIT.csv`
    (C-Eval), `SET/SUBJECT/SPLIT.parquet` (MMLU). Endings are `jsonl`, `json`, `csv` and `parquet`.
    """
    judged = str(known.get("test_split") or known.get("validation_split"))
    if alone := next(_existing(data, [task]), None):
        return {judged: alone}
    found = {}
    for split in dict.fromkeys(known[key] for key in SPLITS if known.get(key)):
        if path := next(_existing(data, list(_names(task, known, split))), None):
            found[split] = path
    if judged not in found:
        where = f"{data}/{task}.jsonl or {data}/{task}/{judged}.jsonl"
        raise MissingError(f"no data for the task {task} in {data}", f"put it at {where}")
    return found


def _names(task: str, known: Mapping[str, Any], split: str) -> Iterator[str]:
    """Where a split may lie, without its ending."""
    yield f"{task}/{split}"
    subject = known.get("dataset_name")
    last = str(known.get("dataset_path", "")).rpartition("/")[2]
    for folder in dict.fromkeys((last, last.partition("-")[0], task.removesuffix(f"_{subject}"))):
        yield from (f"{folder}/{split}/{subject}", f"{folder}/{split}/{subject}_{split}", f"{folder}/{subject}/{split}")


def _existing(data: Path, names: list[str]) -> Iterator[Path]:
    paths = (data / f"{name}.{ending}" for name, ending in product(names, FORMATS))
    return (path for path in paths if path.is_file())


def _columns(path: Path) -> set[str]:
    """Those of the first row of a JSONL file; none of another."""
    if path.suffix != ".jsonl":
        return set()
    with path.open(encoding="utf-8") as file:
        return set(json.loads(file.readline() or "{}"))
