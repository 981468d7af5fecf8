"""What a laid out run is made of: rows by language, source and length, repeats, and how well a share is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sluicegate.data.labels import Labels
from sluicegate.data.language_share import Groups

TOLD = ("lang", "source", "bucket")


def realised_mix(
    batches: np.ndarray, ends: Sequence[int], labels: Mapping[str, Labels], groups: Groups, n_tokens: np.ndarray
) -> dict[str, Any]:
    """In all and for every phase; plain JSON.

    Args:
        batches: rows of each batch, (T, B).
        ends: the batch each phase ends before; phases behind the T batches are left out.
        labels: `lang`, `source` and `bucket` of the N rows.
        groups: the shares asked for.
        n_tokens: of the N rows, (N,).

    Returns:
        Counts of rows `by` language, source and bucket; `repeats`, the rows that came up before, by language;
        `phases`, the same for each with the steps it is; `unseen` rows; `behind`, how many rows a language was short
        of its share at the worst batch end; `padding`, its share of the tokens of all batches.
    """
    rows, size = batches.ravel(), batches.shape[1]
    again = np.ones(len(rows), dtype=bool)
    again[np.unique(rows, return_index=True)[1]] = False
    widths = n_tokens[batches].max(axis=1)  # (T,)
    return {
        "steps": len(batches),
        **_counts(rows, again, labels),
        "unseen": int(len(n_tokens) - (~again).sum()),
        "behind": _behind(batches, groups),
        "padding": round(float(1 - n_tokens[rows].sum() / (widths.sum() * size)), 4),
        "phases": [
            {"steps": [start, end], **_counts(rows[part], again[part], labels)}
            for start, end in pairwise(np.minimum([0, *ends], len(batches)).tolist())
            for part in [slice(start * size, end * size)]
            if end > start
        ],
    }


def _counts(rows: np.ndarray, again: np.ndarray, labels: Mapping[str, Labels]) -> dict[str, Any]:
    by = {name: labels[name].count(rows) for name in TOLD}
    return {"rows": len(rows), "by": by, "repeats": labels["lang"].count(rows[again])}


def _behind(batches: np.ndarray, groups: Groups) -> dict[str, float]:
    asked = np.arange(1, len(batches) + 1) * batches.shape[1]  # rows up to each batch's end, (T,)
    return {
        name: round(max(0.0, float((least * asked - (groups.member[batches] == group).sum(axis=1).cumsum()).max())), 2)
        for group, (name, least) in enumerate(zip(groups.names, groups.least.tolist(), strict=True))
        if least
    }
