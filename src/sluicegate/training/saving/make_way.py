"""What an attempt finds in the folder of its artifact: of an earlier one only what it goes on with."""

from __future__ import annotations

import shutil
from pathlib import Path

from sluicegate.runtime import rank
from sluicegate.training.saving.checkpoints import FOLDER
from sluicegate.training.tuning_config import TuningConfig
from sluicegate.training.watching.journal import METRICS
from sluicegate.training.watching.questions import ANSWERS
from sluicegate.training.watching.trackers import EVENTS


def make_way(out: Path, config: TuningConfig) -> None:
    """Take away the rest: half a model for instance; and all of it where no checkpoint is to be gone on from."""
    if rank() != 0:
        return
    goes_on = config.resume == "auto" and (out / FOLDER).is_dir()
    kept = {FOLDER, METRICS, ANSWERS, EVENTS} if goes_on else set()
    for path in [path for path in out.iterdir() if path.name not in kept]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
