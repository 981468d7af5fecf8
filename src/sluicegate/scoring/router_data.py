"""Token scores as the padded dictionary of earlier gates' `router_data.pt`: safetensors, with JSON beside it.

    quality_gates  [N, layers, max_len]  float16  gate logits, as they were kept: high is good, a sigmoid makes a share
    perplexities   [N, max_len]          float32  exp(nll) of each response token, never below 1
    lengths        [N]                   int32    response tokens of each row

Rows are filled with zeros behind their last token, as they always were; `lengths` says where that is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from sluicegate.artifacts import Artifact, write_json
from sluicegate.errors import ArtifactError
from sluicegate.scoring.token_scores import TokenScores, check_tokens, token_scores

DTYPES: dict[str, np.dtype[Any]] = {"I32": np.dtype("<i4"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
"""By the names safetensors gives them."""
ALIGNED = 8
"""Bytes a safetensors header is a multiple of."""
HIGHEST_NLL = 80.0
"""exp of more would not fit a float32."""

Shapes: TypeAlias = dict[str, tuple[str, tuple[int, ...]]]
"""Tensor to dtype and shape, in the order of the file."""


@dataclass
class Dataset:
    """The rows of one source: what the JSON says of them, and the sizes of their tensors."""

    name: str
    ids: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    layers: int = 0

    @property
    def longest(self) -> int:
        """Response tokens of the longest row."""
        return max(self.lengths)

    @property
    def shapes(self) -> Shapes:
        """Of its three tensors."""
        n, width = len(self.ids), self.longest
        return {
            "lengths": ("I32", (n,)),
            "perplexities": ("F32", (n, width)),
            "quality_gates": ("F16", (n, self.layers, width)),
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What the JSON says."""
        sizes = {"num_samples": len(self.ids), "max_seq_len": self.longest, "num_layers": self.layers}
        return {"dataset_name": self.name, **sizes, "sample_ids": self.ids}


def export_router_data(scores: Artifact, folder: Path) -> dict[str, dict[str, Any]]:
    """Write `<source>_router_data.safetensors` and `.json` for every source; returns the JSON's facts by file.

    The padded whole is never in memory, only a batch of rows and the ids. The JSON is written last: a dataset that
    has one is whole.

    Raises:
        ArtifactError: scores without numbers per token, or without a gate's.
    """
    datasets = _datasets(scores)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{_file_name(name)}_router_data.safetensors" for name in datasets}
    for path in paths.values():
        path.with_suffix(".json").unlink(missing_ok=True)  # it would speak of the tensors that stood here before
    with ExitStack() as files:
        tensors = {name: Tensors(files.enter_context(_draft(paths[name])), found) for name, found in datasets.items()}
        for row in token_scores(scores):
            tensors[row.source].append(row)
    for name, found in datasets.items():
        write_json(paths[name].with_suffix(".json"), found.facts)
    return {paths[name].name: found.facts for name, found in datasets.items()}


def _datasets(scores: Artifact) -> dict[str, Dataset]:
    """Every source with its ids, lengths and layers, in the order of its first row."""
    check_tokens(scores)
    if "gate_logits" not in scores.columns("scores"):
        raise ArtifactError(f"{scores.id} was made without a gate", "score with gate=ARTIFACT and detail=tokens")
    found: dict[str, Dataset] = {}
    for row in token_scores(scores):
        dataset = found.setdefault(row.source, Dataset(row.source))
        dataset.ids.append(row.id)
        dataset.lengths.append(len(row.nll))
        dataset.layers = max(dataset.layers, len(row.gates))
    return found


def _file_name(source: str) -> str:
    """A source as one part of a path; no two sources share a name."""
    return source.replace("%", "%25").replace("/", "%2F")


class Tensors:
    """The safetensors file of one dataset, filled row by row; the library itself would want every tensor at once."""

    def __init__(self, file: IO[bytes], dataset: Dataset) -> None:
        self.file, self.shapes, self.rows = file, dataset.shapes, 0
        header, starts, size = _header(self.shapes)
        file.write(header)
        self.starts = {name: len(header) + start for name, start in starts.items()}
        file.truncate(len(header) + size)  # what is never written reads as zeros

    def append(self, row: TokenScores) -> None:
        """The next row of every tensor."""
        *_, width = self.shapes["quality_gates"][1]
        self._put("lengths", np.array(len(row.nll)))
        self._put("perplexities", np.exp(np.minimum(row.nll.astype(np.float32), HIGHEST_NLL)), 0)
        self._put("quality_gates", np.pad(row.gates, ((0, 0), (0, width - len(row.nll)))), 0, 0)
        self.rows += 1

    def _put(self, name: str, values: np.ndarray, *place: int) -> None:
        """Write values from a place of the current row on."""
        if not values.size:
            return
        dtype, shape = self.shapes[name]
        first = int(np.ravel_multi_index((self.rows, *place), shape))
        self.file.seek(self.starts[name] + first * DTYPES[dtype].itemsize)
        self.file.write(values.astype(DTYPES[dtype]).tobytes())


def _header(shapes: Shapes) -> tuple[bytes, dict[str, int], int]:
    """What a safetensors file begins with, where behind it each tensor starts, and the bytes of all of them."""
    entries: dict[str, Any] = {}
    end = 0
    for name, (dtype, shape) in shapes.items():
        start, end = end, end + prod(shape) * DTYPES[dtype].itemsize
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % ALIGNED)
    starts = {name: entry["data_offsets"][0] for name, entry in entries.items()}
    return len(text).to_bytes(8, "little") + text, starts, end


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """A file under a hidden name, renamed into place once it is whole and gone where it could not be made so."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            yield file
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
