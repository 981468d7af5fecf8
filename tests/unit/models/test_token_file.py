from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from packed_text import END, write
from sluicegate.errors import DataError
from sluicegate.models import token_file as module
from sluicegate.models.token_file import TokenFile, token_file, write_tokens
from sluicegate.models.tokenizer import train_bpe

TEXTS = [f"Tom has {n} apples. 答案是 {n} 个。" for n in range(50)]
TOKENIZER = train_bpe(TEXTS, 300)


def documents() -> Iterator[tuple[str, str]]:
    return ((f"shelf/{n % 2}", text + "<end>" * (n % 3)) for n, text in enumerate(TEXTS))


def read(tokens: TokenFile) -> list[list[int]]:
    return [part.tolist() for part in np.split(tokens.tokens, tokens.ends[:-1])]


def test_documents_come_back_with_one_end_at_least(tmp_path: Path) -> None:
    tokens = token_file(tmp_path, TOKENIZER, "data-1", documents)
    found = [TOKENIZER.decode(ids) for ids in read(tokens)]
    assert found == [text + "<end>" * max(1, n % 3) for n, text in enumerate(TEXTS)]
    assert len(tokens) == 50
    assert tokens.lengths.sum() == len(tokens.tokens)
    assert [tokens.source_names[n] for n in tokens.sources[:3]] == ["shelf/0", "shelf/1", "shelf/0"]


def test_the_file_is_mapped_and_two_bytes_a_token(tmp_path: Path) -> None:
    tokens = token_file(tmp_path, TOKENIZER, "data-1", documents)
    assert isinstance(tokens.tokens, np.memmap)
    assert tokens.tokens.dtype == np.uint16
    wide = tmp_path / "wide"
    wide.mkdir()
    write_tokens(wide, [("all", [70_000, END])], np.uint32)
    assert TokenFile(wide).tokens.tolist() == [70_000, END]


def test_it_is_written_once_for_the_same_data_and_tokenizer(tmp_path: Path) -> None:
    token_file(tmp_path, TOKENIZER, "data-1", documents)

    def never() -> Any:
        raise AssertionError("the documents were read again")

    assert len(token_file(tmp_path, TOKENIZER, "data-1", never)) == 50
    for name, tokenizer in (("data-2", TOKENIZER), ("data-1", train_bpe(TEXTS, 270))):
        with pytest.raises(AssertionError, match="read again"):
            token_file(tmp_path, tokenizer, name, never)


def test_what_died_half_written_is_never_read(tmp_path: Path) -> None:
    def dying() -> Iterator[tuple[str, str]]:
        yield from [("all", "one")] * 2000
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        token_file(tmp_path, TOKENIZER, "data-1", dying)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    assert len(token_file(tmp_path, TOKENIZER, "data-1", documents)) == 50


def _encode(folder: Path, told: Any) -> None:
    def watched() -> Iterator[tuple[str, str]]:
        told.put("read")
        return documents()

    told.put(len(token_file(folder, TOKENIZER, "data-1", watched)))


def test_of_several_processes_one_writes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    others = [context.Process(target=_encode, args=(tmp_path, told)) for _ in range(3)]
    for process in others:
        process.start()
    found = [told.get(timeout=60) for _ in range(4)]
    for process in others:
        process.join()
    assert sorted(map(str, found)) == ["50", "50", "50", "read"]


def test_no_documents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no documents"):
        token_file(tmp_path, TOKENIZER, "data-1", list)


def test_chunks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(token_file(tmp_path / "a", TOKENIZER, "data-1", documents))
    monkeypatch.setattr(module, "CHUNK_ROWS", 7)
    assert read(token_file(tmp_path / "b", TOKENIZER, "data-1", documents)) == whole
    assert read(write(tmp_path, [[5, END], [6, 7, END]])) == [[5, END], [6, 7, END]]
