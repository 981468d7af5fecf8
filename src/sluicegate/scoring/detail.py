"""What `detail` keeps of a pass beside its scores: numbers per row and layer, and per response token, never padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sluicegate.scoring.base import Seen

if TYPE_CHECKING:
    import pyarrow as pa

Detail = Literal["none", "sample", "tokens"]


def detail_columns(seen: Seen, detail: Detail) -> dict[str, Any]:
    """`loss`, `entropy` and `gate_layers` of B rows; with `tokens` also `nll` and `gate_logits`, as float16.

    The gate's columns are there where the model carries one. A row without a response token has NaN and empty lists.
    """
    if detail == "none":
        return {}
    columns: dict[str, Any] = {"loss": seen.loss, "entropy": seen.entropy}
    if seen.gate_layers is not None:
        columns["gate_layers"] = list(seen.gate_layers)
    if detail == "tokens":
        columns["nll"] = ragged(seen.nll)
        if seen.gate_layers is not None:
            columns["gate_logits"] = ragged_layers(seen.gate_logits)
    return columns


def ragged(rows: Sequence[np.ndarray]) -> pa.ListArray:
    """B arrays (T,) of any lengths as one column of lists: their values one after the other, and where each begins."""
    import pyarrow as pa

    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, np.concatenate(rows))


def ragged_layers(rows: Sequence[np.ndarray]) -> pa.ListArray:
    """B arrays (L, T) as one column of lists of lists."""
    import pyarrow as pa

    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, ragged([layer for row in rows for layer in row]))
