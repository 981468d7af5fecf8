"""Documents as a token file, made on the spot, without a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from sluicegate.models.token_file import TokenFile, write_tokens

END = 1
_numbers = count()


def write(folder: Path, documents: Sequence[Sequence[int]], sources: Sequence[str] = ()) -> TokenFile:
    """The documents as they are, of one source if none is named."""
    at = folder / f"tokens{next(_numbers)}"
    at.mkdir(parents=True, exist_ok=True)
    named = sources or ["all"] * len(documents)
    write_tokens(at, zip(named, map(list, documents), strict=True), np.uint16)
    return TokenFile(at)


def counting(n: int = 40, seed: int = 0) -> list[list[int]]:
    """Documents that count up from anywhere: easy to learn, each with its end."""
    starts = np.random.default_rng(seed).integers(2, 20, n).tolist()
    return [[*range(s, s + 9), END] for s in starts]


def everything(tokens: TokenFile) -> Any:
    """The numbers of all documents."""
    return np.arange(len(tokens))
