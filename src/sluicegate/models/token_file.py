"""Documents encoded once and kept end to end in a memory-mapped file, two bytes a token where the vocabulary allows.

A token file is a folder that is renamed into place when it is whole. Its name is a hash of the data and of all that
decides how they are encoded; it may be deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sluicegate.errors import DataError
from sluicegate.models.encode import CHUNK_ROWS, DEFAULT_TEMPLATE
from sluicegate.models.token_cache import alone
from sluicegate.runtime import track

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Document = tuple[str, str]
"""The source and the text."""
TOKENS, ENDS, SOURCES, HEAD = "tokens.bin", "ends.npy", "sources.npy", "head.json"


class TokenFile:
    """Documents as tokens, read from the disk when they are asked for.

    Args:
        folder: of `token_file`.
    """

    def __init__(self, folder: Path) -> None:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        self.tokens: np.ndarray = np.memmap(folder / TOKENS, dtype=head["dtype"], mode="r")
        """Of all documents, (M,)."""
        self.ends: np.ndarray = np.load(folder / ENDS)
        """Where each document ends, (N,); it begins where the one before it ends."""
        self.lengths = np.diff(self.ends, prepend=0)
        """Tokens of each document, (N,)."""
        self.source_names: list[str] = head["sources"]
        self.sources: np.ndarray = np.load(folder / SOURCES)
        """The number of each document's source, (N,)."""

    def __len__(self) -> int:
        """Documents."""
        return len(self.ends)


def token_file(
    parent: Path, tokenizer: PreTrainedTokenizerBase, name: str, documents: Callable[[], Iterable[Document]]
) -> TokenFile:
    """The documents as `tokenizer` encodes them, written now or before; of several processes one writes.

    Args:
        parent: a folder of token files.
        name: of the data: other documents have another.
        documents: reads them; called only where they are not written yet.

    Raises:
        DataError: there are none.
    """
    key = _key(tokenizer, name)
    parent.mkdir(parents=True, exist_ok=True)
    with alone(parent / f".{key}.lock"):
        if not (parent / key).is_dir():
            draft = parent / f".{key}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            dtype = np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32
            write_tokens(draft, track(_encoded(tokenizer, documents()), "documents to tokens"), dtype)
            os.rename(draft, parent / key)
    return TokenFile(parent / key)


def write_tokens(folder: Path, documents: Iterable[tuple[str, list[int]]], dtype: type[np.unsignedinteger]) -> None:
    """What a `TokenFile` reads, of documents by their source and tokens; `DataError` where there are none."""
    lengths: list[int] = []
    of: list[int] = []
    names: dict[str, int] = {}
    with (folder / TOKENS).open("wb") as file:
        for source, ids in documents:
            np.array(ids, dtype=dtype).tofile(file)
            lengths.append(len(ids))
            of.append(names.setdefault(source, len(names)))
    if not lengths:
        raise DataError("no documents to train on", "prepare some")
    np.save(folder / ENDS, np.cumsum(lengths, dtype=np.int64))
    np.save(folder / SOURCES, np.array(of, dtype=np.int32))
    head = {"dtype": np.dtype(dtype).name, "sources": list(names)}
    (folder / HEAD).write_text(json.dumps(head, ensure_ascii=False), encoding="utf-8")


def _encoded(tokenizer: PreTrainedTokenizerBase, documents: Iterable[Document]) -> Iterator[tuple[str, list[int]]]:
    """The source and the tokens of each document, which ends in the end token whatever its text ends in."""
    stream, end = iter(documents), tokenizer.eos_token_id
    while some := list(islice(stream, CHUNK_ROWS)):
        texts = [text for _, text in some]
        found = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        for (source, _), ids in zip(some, found, strict=True):
            yield source, ids if ids[-1:] == [end] else [*ids, end]


def _key(tokenizer: PreTrainedTokenizerBase, name: str) -> str:
    """20 hex digits over what decides how documents are encoded, and which they are."""
    said = [name, tokenizer.backend_tokenizer.to_str(), tokenizer.special_tokens_map]
    said += [tokenizer.chat_template or DEFAULT_TEMPLATE]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:20]
