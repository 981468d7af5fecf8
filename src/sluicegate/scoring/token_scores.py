"""What `detail: tokens` keeps of every response token, read back row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sluicegate.artifacts import Artifact
from sluicegate.errors import ArtifactError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 256


@dataclass(frozen=True)
class TokenScores:
    """One record's T response tokens, those of all its assistant turns one after the other."""

    id: str
    source: str
    nll: NDArray[np.float16]
    """(T,) minus the log-probability of each token, in nats."""
    gates: NDArray[np.float16]
    """(L, T) logits of the gated layers, high is good; no layer where no gate was read."""


def check_tokens(scores: Artifact) -> None:
    """Raise `ArtifactError` for what is no table of scores, or one made without a number per token."""
    if scores.kind != "scores":
        raise ArtifactError(f"{scores.id} is of kind {scores.kind}", "name a step or artifact of kind scores")
    if "nll" not in scores.columns("scores"):
        raise ArtifactError(f"{scores.id} has no numbers per token", "score again with detail=tokens")


def token_scores(scores: Artifact, ids: Collection[str] | None = None) -> Iterator[TokenScores]:
    """Every record's tokens in the order of the table, or only those of some records; a batch of rows in memory.

    Raises:
        ArtifactError: see `check_tokens`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    check_tokens(scores)
    names = [n for n in ("id", "source", "nll", "gate_logits") if n in scores.columns("scores")]
    wanted = None if ids is None else pa.array(list(ids), pa.string())
    # Buffering ahead, which is Arrow's default, would hold the bytes of the whole file.
    with pq.ParquetFile(scores.path / "scores.parquet", pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
            yield from _rows(batch if wanted is None else batch.filter(pc.is_in(batch["id"], wanted)))


def _rows(batch: pa.RecordBatch) -> Iterator[TokenScores]:
    gated = "gate_logits" in batch.schema.names
    for n, (record_id, source) in enumerate(zip(*(batch[c].to_pylist() for c in ("id", "source")), strict=True)):
        nll = batch["nll"][n].values.to_numpy(zero_copy_only=False)
        gates = np.empty((0, len(nll)), np.float16)
        if gated:
            layers = batch["gate_logits"][n].values
            gates = layers.flatten().to_numpy(zero_copy_only=False).reshape(len(layers), len(nll))  # (L, T)
        yield TokenScores(record_id, source, nll, gates)
