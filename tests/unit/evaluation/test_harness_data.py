"""Where the harness finds the data of its tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluicegate.errors import MissingError
from sluicegate.evaluation.harness_data import local_files, write_local_task

PLAIN = {"validation_split": "validation", "training_split": "train", "dataset_path": "allenai/winogrande"}
CMMLU = {"test_split": "test", "fewshot_split": "dev", "dataset_path": "haonan-li/cmmlu", "dataset_name": "law"}
CEVAL = {"validation_split": "val", "fewshot_split": "dev", "dataset_path": "ceval/ceval-exam", "dataset_name": "law"}
MMLU = {"test_split": "test", "fewshot_split": "dev", "dataset_path": "cais/mmlu", "dataset_name": "anatomy"}


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"query": "q", "choices": ["a", "b"], "gold": 1}) + "\n")
    return folder


@pytest.mark.parametrize(
    ("task", "known", "files", "expected"),
    [
        ("winogrande", PLAIN, ["winogrande.jsonl"], {"validation": "winogrande.jsonl"}),
        ("winogrande", PLAIN, ["winogrande/validation.csv"], {"validation": "winogrande/validation.csv"}),
        (
            "winogrande",
            PLAIN,
            ["winogrande/validation.parquet", "winogrande/train.parquet"],
            {"validation": "winogrande/validation.parquet", "train": "winogrande/train.parquet"},
        ),
        (
            "cmmlu_law",
            CMMLU,
            ["cmmlu/test/law.csv", "cmmlu/dev/law.csv", "cmmlu/test/arts.csv"],
            {"test": "cmmlu/test/law.csv", "dev": "cmmlu/dev/law.csv"},
        ),
        ("ceval-valid_law", CEVAL, ["ceval/val/law_val.csv"], {"val": "ceval/val/law_val.csv"}),
        ("ceval-valid_law", CEVAL, ["ceval-valid/val/law.jsonl"], {"val": "ceval-valid/val/law.jsonl"}),
        ("mmlu_anatomy", MMLU, ["mmlu/anatomy/test.parquet"], {"test": "mmlu/anatomy/test.parquet"}),
    ],
)
def test_files_are_found_as_they_are_published(
    tmp_path: Path, task: str, known: dict[str, Any], files: list[str], expected: dict[str, str]
) -> None:
    found = local_files(task, known, filled(tmp_path, *files))
    assert {split: path.relative_to(tmp_path).as_posix() for split, path in found.items()} == expected


def test_a_task_without_the_split_it_is_judged_by_is_told_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no data for the task winogrande") as err:
        local_files("winogrande", PLAIN, filled(tmp_path, "winogrande/train.jsonl"))
    assert "winogrande/validation.jsonl" in err.value.hint


def test_the_yaml_names_files_and_drops_the_splits_that_are_not_there(tmp_path: Path) -> None:
    data = filled(tmp_path / "data", "winogrande.jsonl")
    files = write_local_task("winogrande", Path("/packaged/winogrande.yaml"), PLAIN, data, tmp_path)
    told = yaml.safe_load((tmp_path / "winogrande.yaml").read_text())
    assert files == [data / "winogrande.jsonl"]
    assert told == {
        "include": "/packaged/winogrande.yaml",
        "task": "winogrande",
        "dataset_name": None,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"validation": str(data / "winogrande.jsonl")}},
        "training_split": None,
    }


def test_rows_that_were_made_ready_are_taken_as_they_are(tmp_path: Path) -> None:
    data = filled(tmp_path / "data", "hellaswag.jsonl")
    write_local_task("hellaswag", Path("/packaged/hellaswag.yaml"), {"validation_split": "validation"}, data, tmp_path)
    told = yaml.safe_load((tmp_path / "hellaswag.yaml").read_text())
    assert (told["process_docs"], told["doc_to_target"]) == (None, "{{gold}}")
