"""What a run of the harness can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt, field_validator

from sluicegate.config import Config, runtime


class HarnessConfig(Config):
    """Which tasks of the lm-evaluation-harness a model is asked, and on what."""

    tasks: list[str] = Field(min_length=1)
    """Names of its tasks, groups or tags, such as `[cmmlu, ceval-valid, hellaswag, winogrande]`."""
    data_dir: Path | None = None
    """A folder with their data, `TASK.jsonl` or `TASK/SPLIT.jsonl`, or laid out as published. Null: from the hub."""
    num_fewshot: int | None = Field(default=None, ge=0)
    """Examples before each question. Null: as many as the task has."""
    limit: float | None = Field(default=None, gt=0)
    """Questions of each task, from 1 on their number, below it their share. Null: all."""
    chat_template: bool = False
    """Whether the model's chat template is put around the questions."""
    seed: int = 0
    """Decides the examples."""
    batch_size: PositiveInt | Literal["auto"] = runtime("auto")
    """Questions at once; auto: as many as fit."""

    @field_validator("tasks")
    @classmethod
    def _bare(cls, given: list[str]) -> list[str]:
        return [name.removeprefix("harness:") for name in given]
