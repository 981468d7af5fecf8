"""Verdicts on rows of which only some are wanted: all have to be seen before the first is known to stay."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile

from sluicegate.data.mix import Draw, Mix, Sample, group_of
from sluicegate.data.sift import Verdict

_BLOCK = 1024


def drawn(
    verdicts: Iterable[Verdict], config: Mix | Sample, folder: Path, told: dict[str, tuple[int, int]]
) -> Iterator[Verdict]:
    """The verdicts again, with a reason for every row that is not drawn; until the last is seen they wait on the disk.

    Args:
        folder: where the file is they wait in; it has no name, and nobody else can have written it.
        told: gets the groups with fewer rows than were asked for: how many they have, and how many were.
    """
    draw, left = Draw(config), iter(verdicts)
    name = type(config).__name__.lower()
    with TemporaryFile(dir=folder) as file:
        while block := list(islice(left, _BLOCK)):
            draw.see([v.candidate.record for v in block if v.candidate.record and not v.reason])
            pickle.dump(block, file)
        told |= draw.shortfall()
        chosen = iter(draw.chosen().tolist())
        end = file.tell()
        file.seek(0)
        while file.tell() < end:
            for verdict in pickle.load(file):
                if verdict.reason or next(chosen):
                    yield verdict
                else:
                    group = group_of(verdict.candidate.record, config.by)
                    yield verdict._replace(reason=f"{name}: not among the rows drawn of {config.by} {group}")
