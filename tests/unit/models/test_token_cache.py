"""A cache gives back what was encoded, for these rows and this tokenizer and no others, and only once it is whole."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import token_processes
from conftest import CHATML, TEMPLATES
from sluicegate.data.parallel import ordered
from sluicegate.errors import DataError
from sluicegate.models import token_cache
from sluicegate.models.encode import CHUNK_ROWS, Counts, Encoded, Encoder
from sluicegate.models.token_cache import EncodedRows, ToArrow, TokenCache, cache_key, counts_of
from sluicegate.schema import Record, make_record
from sluicegate.testing import tiny_pool
from token_processes import encode, one_by_one, start


def chats(n: int) -> list[Record]:
    """Of one to four exchanges, a few with a system prompt or no prompt at all, in two languages."""
    return [_chat(i) for i in range(n)]


def _chat(i: int) -> Record:
    turns: list[Any] = [{"role": "system", "content": "Be brief."}] if i % 3 == 0 else []
    for turn in range(i % 4 + 1):
        turns += [
            {"role": "user", "content": f"第 {i} 问, {turn}?"},
            {"role": "assistant", "content": f"答 {i * turn}."},
        ]
    return make_record(turns[-1:] if i % 7 == 6 else turns, "chats", "zh")


def rows_of(folder: Path, encoder: Encoder, records: list[Record]) -> EncodedRows:
    return TokenCache(folder, one_by_one).rows(encoder, [r["id"] for r in records], lambda: records, "rows")


def no_records() -> Iterable[Record]:
    raise AssertionError("they are in the cache")


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "none"])
@pytest.mark.parametrize("max_length", [2048, 40])
def test_rows_come_back_as_they_were_encoded(
    template: str, max_length: int, make_tokenizer: Any, tmp_path: Path
) -> None:
    encoder, records = Encoder(make_tokenizer(template), max_length), chats(50)
    found, expected = rows_of(tmp_path, encoder, records), encoder.encode_batch(records)
    assert list(found) == expected
    assert found[3:5] == expected[3:5]
    assert found[-1] == expected[-1]
    with pytest.raises(IndexError):
        found[50]


def test_rows_of_many_chunks_come_back_in_order(make_tokenizer: Any, tmp_path: Path) -> None:
    records, encoder = tiny_pool(CHUNK_ROWS * 2 + 5), Encoder(make_tokenizer())
    found = rows_of(tmp_path, encoder, records)
    assert len(found) == len(records)
    assert [row.id for row in found] == [record["id"] for record in records]
    assert found[CHUNK_ROWS + 1] == encoder.encode(records[CHUNK_ROWS + 1])
    assert_counts(found.counts, list(found))


def test_tokens_are_counted_without_a_look_at_them(make_tokenizer: Any, tmp_path: Path) -> None:
    found = rows_of(tmp_path, Encoder(make_tokenizer(), 40), chats(50))
    assert any(row.truncated for row in found)
    assert any(not row.n_label for row in found)
    assert_counts(counts_of(found), list(found))
    assert_counts(counts_of(list(found)), list(found))


def assert_counts(counts: Counts, rows: list[Encoded]) -> None:
    assert list(counts.ids) == [row.id for row in rows]
    assert counts.n_tokens.tolist() == [len(row.ids) for row in rows]
    assert counts.n_label.tolist() == [row.n_label for row in rows]
    assert counts.truncated.tolist() == [row.truncated for row in rows]


def test_no_rows_are_no_rows(make_tokenizer: Any, tmp_path: Path) -> None:
    found = rows_of(tmp_path, Encoder(make_tokenizer()), [])
    assert list(found) == []
    assert_counts(found.counts, [])


def test_rows_are_encoded_once(make_tokenizer: Any, tmp_path: Path) -> None:
    one = encode(tmp_path, Encoder(make_tokenizer()))
    other = encode(tmp_path, Encoder(make_tokenizer()), no_records)
    assert list(one) == list(other)
    assert [path.suffix for path in tmp_path.iterdir() if not path.name.startswith(".")] == [".arrow"]


def test_a_changed_template_never_reads_a_stale_cache(make_tokenizer: Any, tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    before = list(encode(tmp_path, Encoder(tokenizer)))
    tokenizer.chat_template = CHATML.replace("'<|im_end|>\\n'", "' <|im_end|>\\n'")
    after = list(encode(tmp_path, Encoder(tokenizer)))
    assert after == Encoder(tokenizer).encode_batch(tiny_pool(token_processes.ROWS)) != before
    tokenizer.chat_template = CHATML
    assert list(encode(tmp_path, Encoder(tokenizer), no_records)) == before


CHANGES: dict[str, Callable[[Any], Any]] = {
    "template": lambda tokenizer: setattr(tokenizer, "chat_template", TEMPLATES["llama3"]),
    "no template": lambda tokenizer: setattr(tokenizer, "chat_template", None),
    "token": lambda tokenizer: tokenizer.add_tokens(["What"]),
    "end token": lambda tokenizer: setattr(tokenizer, "eos_token", "<|im_end|>"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_key_knows_the_tokenizer_by_content(change: str, make_tokenizer: Any) -> None:
    tokenizer = make_tokenizer()
    before = cache_key(Encoder(tokenizer), ["a", "b"])
    assert cache_key(Encoder(make_tokenizer()), ["a", "b"]) == before
    CHANGES[change](tokenizer)
    assert cache_key(Encoder(tokenizer), ["a", "b"]) != before


def test_the_key_knows_rows_length_and_code(make_tokenizer: Any, tmp_path: Path, monkeypatch: Any) -> None:
    encoder = Encoder(make_tokenizer())
    keys = [cache_key(encoder, ids) for ids in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])]
    keys.append(cache_key(Encoder(make_tokenizer(), 100), ["a", "b"]))
    (tmp_path / "encode.py").write_text("other code", encoding="utf-8")
    monkeypatch.setattr(token_cache.encode, "__file__", str(tmp_path / "encode.py"))
    keys.append(cache_key(encoder, ["a", "b"]))
    assert len(set(keys)) == len(keys)


def test_a_failed_encoding_leaves_nothing(make_tokenizer: Any, tmp_path: Path) -> None:
    tokenizer = make_tokenizer("llama3")
    encoder = Encoder(tokenizer)
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    with pytest.raises(DataError, match="refuses"):
        encode(tmp_path, encoder)
    assert not list(tmp_path.glob("*.arrow"))


def test_a_killed_encoding_is_not_taken_for_whole(make_tokenizer: Any, tmp_path: Path) -> None:
    encoder = Encoder(make_tokenizer())
    process = start(token_processes.die_while_writing, tmp_path, encoder)
    process.join()
    assert process.exitcode == -9
    (draft,) = tmp_path.glob("*.draft")
    assert draft.stat().st_size > 0, "it was in the middle"
    assert not list(tmp_path.glob("*.arrow"))
    assert list(encode(tmp_path, encoder)) == encoder.encode_batch(tiny_pool(token_processes.ROWS))
    assert not list(tmp_path.glob("*.draft"))


def test_processes_wait_for_the_one_that_encodes(make_tokenizer: Any, tmp_path: Path) -> None:
    encoder, reads = Encoder(make_tokenizer()), tmp_path / "reads"
    reads.mkdir()
    processes = [start(token_processes.encode_slowly, tmp_path / "tokens", encoder, reads) for _ in range(3)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list(reads.iterdir())) == 1
    assert len(encode(tmp_path / "tokens", encoder, no_records)) == token_processes.ROWS


@pytest.mark.slow
def test_several_processes_encode_the_same(make_tokenizer: Any, tmp_path: Path) -> None:
    encoder, records = Encoder(make_tokenizer()), chats(CHUNK_ROWS * 3)
    cache = TokenCache(tmp_path, partial(ordered, workers=2))
    assert list(cache.rows(encoder, [r["id"] for r in records], lambda: records, "rows")) == list(
        rows_of(tmp_path / "alone", encoder, records)
    )


def test_another_process_opens_the_file_anew(make_tokenizer: Any, tmp_path: Path) -> None:
    found = encode(tmp_path, Encoder(make_tokenizer()))
    assert len(pickle.dumps(found)) < 1000
    assert list(pickle.loads(pickle.dumps(found))) == list(found)


def test_memory_stays_flat_however_many_rows_are_read(make_tokenizer: Any, tmp_path: Path) -> None:
    n, row = 20 * CHUNK_ROWS, Encoded("x" * 16, list(range(300)), [(100, 300)], 3, 0)

    def made_up(make: Any, items: Iterable[Any]) -> Iterator[Any]:
        return (token_cache._to_arrow([row] * CHUNK_ROWS) for _ in range(n // CHUNK_ROWS))

    cache = TokenCache(tmp_path, made_up)
    tracemalloc.start()
    found = cache.rows(Encoder(make_tokenizer()), [], list, "rows")
    opened = tracemalloc.get_traced_memory()[0]
    assert sum(len(one.ids) for one in found) == 300 * n
    grown = tracemalloc.get_traced_memory()[0] - opened
    tracemalloc.stop()
    assert found.path.stat().st_size > 20e6
    assert grown < 1e5


def test_chunks_are_read_no_sooner_than_they_are_encoded(make_tokenizer: Any, tmp_path: Path) -> None:
    read, ahead = 0, []

    def records() -> Iterator[Record]:
        nonlocal read
        for record in tiny_pool(3 * CHUNK_ROWS):
            read += 1
            yield record

    def watched(make: Any, items: Iterable[Any]) -> Iterator[Any]:
        for done, item in enumerate(items):
            ahead.append(read - done * CHUNK_ROWS)
            yield make()(item)

    TokenCache(tmp_path, watched).rows(Encoder(make_tokenizer()), ["a"], records, "rows")
    assert ahead == [CHUNK_ROWS] * 3


def test_what_encodes_can_be_sent_to_another_process(make_tokenizer: Any) -> None:
    sent = pickle.loads(pickle.dumps(ToArrow(Encoder(make_tokenizer()))))
    batch = sent()(tiny_pool(3))
    assert np.array_equal(batch.column("id").to_pylist(), [record["id"] for record in tiny_pool(3)])
