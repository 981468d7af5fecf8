"""Columns of one table of scores put beside those of another, joined by id."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate.artifacts import Artifact, write_tables
from sluicegate.errors import ArtifactError
from sluicegate.scoring.merge import BATCH_ROWS, HEAD, SCORES
from sluicegate.scoring.shards import FOLDER

if TYPE_CHECKING:
    import pyarrow as pa

HINT = "give the scores of the same data"


def put_beside(out: Path, names: Sequence[str], other: Artifact) -> None:
    """Make `scores.parquet` in `out` the table of `other`, in its order, with the columns `names` of its own behind.

    Only these are in memory. Done again it changes nothing.

    Raises:
        ArtifactError: the two are not of the same rows, or `other` has such a column.
    """
    import pyarrow.parquet as pq

    if taken := set(names) & set(other.columns("scores")):
        raise ArtifactError(f"{other.id} has a column '{min(taken)}' already", "leave it out of either")
    own = pq.read_table(out / SCORES, columns=["id", *names])
    schema = pq.read_schema(other.path / SCORES)
    for name in names:
        schema = schema.append(own.schema.field(name))
    (out / FOLDER).mkdir(exist_ok=True)
    if write_tables(out / FOLDER / SCORES, _joined(own, other, schema), schema) != len(own):
        raise ArtifactError(f"{other.id} lacks some of the {len(own):,} rows that were scored", HINT)
    for name in (HEAD, SCORES):
        os.replace(out / FOLDER / name, out / name)


def _joined(own: pa.Table, other: Artifact, schema: pa.Schema) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(other.path / SCORES) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            place = pc.index_in(batch["id"], own["id"])
            if place.null_count:
                stranger = batch["id"].filter(pc.is_null(place))[0]
                raise ArtifactError(f"{other.id} has row {stranger}, which was not scored here", HINT)
            added = own.drop_columns("id").take(place)
            columns = [*pa.table(batch).columns, *added.columns]
            yield pa.table(columns, schema=schema)
