"""Conversations to token ids, with the spans a loss may see. Trainers fail silently here, so nothing is silent."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sluicegate import runtime
from sluicegate.errors import ArtifactError, DataError
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label cross-entropy leaves out."""
CHUNK_ROWS = 1024

DEFAULT_TEMPLATE = """\
{{ bos_token }}{% for message in messages %}
{{ message['role'] | capitalize }}:
{{ message['content'] | trim }}{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}


{% endfor %}
{% if add_generation_prompt %}
Assistant:
{% endif %}"""
"""For a tokenizer without a chat template. It needs no token a base model lacks, and ends a reply with the end token:

    User:
    How many?

    Assistant:
    Two.</s>

"""

_PROBE: list[Message] = [{"role": "user", "content": "question"}, {"role": "assistant", "content": "sluice-probe"}]


@dataclass(frozen=True)
class Encoded:
    """One conversation as token ids."""

    id: str
    ids: list[int]
    spans: list[tuple[int, int]]
    """[start, end) of the label tokens of each assistant turn, its end-of-turn token included."""
    n_header: int
    """Tokens of the assistant header right before a span."""
    truncated: int
    """Tokens cut off the end."""

    @property
    def n_label(self) -> int:
        """Label tokens."""
        return sum(end - start for start, end in self.spans)

    @property
    def n_prompt(self) -> int:
        """Tokens before the last assistant turn."""
        return self.spans[-1][0] if self.spans else len(self.ids)

    @property
    def labels(self) -> list[int]:
        """The ids inside the spans, `IGNORED` elsewhere; not shifted."""
        out = [IGNORED] * len(self.ids)
        for start, end in self.spans:
            out[start:end] = self.ids[start:end]
        return out


@dataclass(frozen=True)
class Counts:
    """Tokens of many conversations."""

    ids: Sequence[str]
    """Of the conversations, (N,)."""
    n_tokens: np.ndarray
    """(N,)"""
    n_label: np.ndarray
    """(N,)"""
    truncated: np.ndarray
    """Tokens cut off, (N,)."""

    @classmethod
    def of(cls, rows: Sequence[Encoded]) -> Counts:
        """Of encoded conversations in memory."""
        numbers = np.array([(len(row.ids), row.n_label, row.truncated) for row in rows], dtype=np.int64)
        return cls([row.id for row in rows], *numbers.reshape(-1, 3).T)


class Encoder:
    """Renders conversations with the tokenizer's own chat template and finds the assistant turns in the text.

    A span starts where the generation prompt of the turns before it ends, for that is where the model takes over
    when it generates, and stops after the end-of-turn marker. Both are found by rendering, so a template needs no
    `{% generation %}` marks, and one that has them gives the same spans. A token that lies across a border counts
    as label. A lone assistant turn is a document: no template, all of it but the first token is label.

    Args:
        tokenizer: a fast one, for its character offsets.
        max_length: tokens a conversation may have; what is over is cut off its end.

    Raises:
        ArtifactError: a slow tokenizer, or a chat template that cannot render a question and an answer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_length: int = 2048) -> None:
        if not tokenizer.is_fast:
            raise ArtifactError(f"{type(tokenizer).__name__} has no offsets", "convert it to a tokenizer.json")
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.header, self.closer = self._markers()

    def encode(self, record: Record) -> Encoded:
        """One conversation; it may come out with no label tokens."""
        return self.encode_batch([record])[0]

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """The turns before a reply, with the header that asks for one. Nothing is cut off."""
        return self._tokenize([self._render(messages, header=True)])["input_ids"][0]

    def encode_all(self, records: Sequence[Record], description: str, need_labels: bool = True) -> list[Encoded]:
        """Every conversation, in order; says how many label tokens there are and warns of what was cut off.

        Raises:
            DataError: a conversation the template refuses or, with `need_labels`, one left without label tokens.
        """
        rows = [row for chunk in runtime.track(_chunks(records), description) for row in self._encode_chunk(chunk)]
        self.tell(Counts.of(rows), description, need_labels)
        return rows

    def tell(self, counts: Counts, description: str, need_labels: bool = True) -> None:
        """Say how many label tokens there are, and warn of what was cut off.

        Raises:
            DataError: with `need_labels`, a conversation without label tokens.
        """
        self._tell(counts, description)
        if need_labels:
            self._check_labels(counts)

    def encode_batch(self, records: Sequence[Record]) -> list[Encoded]:
        """Conversations, in order; says nothing, and any may come out with no label tokens."""
        return [row for chunk in _chunks(records) for row in self._encode_chunk(chunk)]

    def _encode_chunk(self, records: Sequence[Record]) -> list[Encoded]:
        """Conversations tokenized together: fast, at some hundred bytes a token while it lasts."""
        laid_out = [self._lay_out(record) for record in records]
        tokens = self._tokenize([text for text, _ in laid_out])
        return [
            self._encoded(record["id"], text, chars, ids, offsets)
            for record, (text, chars), ids, offsets in zip(
                records, laid_out, tokens["input_ids"], tokens["offset_mapping"], strict=True
            )
        ]

    def _encoded(
        self, record_id: str, text: str, chars: list[tuple[int, int]], ids: list[int], offsets: list[tuple[int, int]]
    ) -> Encoded:
        """Character spans to token spans, cut to `max_length`."""
        starts, ends = [a for a, _ in offsets], [b for _, b in offsets]
        # The first token of a text has nothing to be predicted from, so no span starts before 1.
        spans = [(max(1, bisect_right(ends, a)), min(self.max_length, bisect_left(starts, b))) for a, b in chars]
        begin = chars[-1][0] if chars else 0
        n_header = bisect_right(ends, begin) - bisect_right(ends, begin - len(self.header))
        headed = text.endswith(self.header, 0, begin)
        return Encoded(
            id=record_id,
            ids=ids[: self.max_length],
            spans=[(a, b) for a, b in spans if a < b],
            n_header=n_header if headed else 0,
            truncated=max(0, len(ids) - self.max_length),
        )

    # Text

    def _lay_out(self, record: Record) -> tuple[str, list[tuple[int, int]]]:
        """The rendered text and the [start, end) characters of each assistant turn."""
        messages = record["messages"]
        if len(messages) == 1 and messages[0]["role"] == "assistant":
            begin = self.tokenizer.bos_token or ""
            text = begin + messages[0]["content"] + (self.tokenizer.eos_token or "")
            return text, [(len(begin), len(text))]
        text = self._render(messages, name=record["id"])
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        return text, [self._find(text, messages, turn, record["id"]) for turn in turns]

    def _find(self, text: str, messages: Sequence[Message], turn: int, name: str) -> tuple[int, int]:
        start = self._find_start(text, messages, turn, name)
        so_far = text if turn == len(messages) - 1 else self._render(messages[: turn + 1], name=name)
        # Some templates render a reply otherwise once it is history (Qwen3 drops its thoughts).
        as_is = text.startswith(so_far)
        found = text.rfind(self.closer, start, len(so_far.rstrip())) if as_is else text.find(self.closer, start)
        if found < 0:
            raise _lost(name, turn)
        return start, found + len(self.closer)

    def _find_start(self, text: str, messages: Sequence[Message], turn: int, name: str) -> int:
        prompt = self._render(messages[:turn], header=True, name=name) if turn else ""
        start = len(_shared(text, prompt))
        if start < len(prompt) - len(self.header):
            raise _lost(name, turn)
        if self.header and turn:
            return start
        # No generation prompt to measure: the turn starts where its words do.
        return max(start, text.find(messages[turn]["content"].strip(), start))

    def _markers(self) -> tuple[str, str]:
        """What opens an assistant turn, and what closes it without the white space behind."""
        question = self._render(_PROBE[:1], name="a probe")
        header = self._render(_PROBE[:1], header=True, name="a probe").removeprefix(question)
        alone, followed = (self._render(chat, name="a probe") for chat in (_PROBE, [*_PROBE, _PROBE[0]]))
        after = [text.partition(_PROBE[1]["content"])[2] for text in (alone, followed)]
        closer = _shared(*after).rstrip()
        if not closer:
            runtime.warn("the chat template ends a reply with no token: a model trained with it will not learn to stop")
        return header, closer

    def _render(self, messages: Sequence[Message], header: bool = False, name: str = "a prompt") -> str:
        from jinja2 import TemplateError

        template = None if self.tokenizer.chat_template else DEFAULT_TEMPLATE
        turns = [{"role": m["role"], "content": m["content"]} for m in messages]
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns, chat_template=template, add_generation_prompt=header, tokenize=False
                )
            )
        except TemplateError as err:
            raise DataError(f"the chat template refuses {name}: {err}", "drop the row, or change the template") from err

    def _tokenize(self, texts: list[str]) -> Any:
        return self.tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)

    # What the user is told

    def _tell(self, counts: Counts, description: str) -> None:
        total, labels = counts.n_tokens.sum(), counts.n_label.sum()
        runtime.say(f"  {description}: {len(counts.ids):,} rows, {total:,} tokens, {labels:,} of them label tokens")
        if cut := np.count_nonzero(counts.truncated):
            rows_are = "1 row is" if cut == 1 else f"{cut:,} rows are"
            tokens = counts.truncated.sum()
            tokens_were = "1 token was" if tokens == 1 else f"{tokens:,} tokens were"
            runtime.warn(f"{description}: {rows_are} longer than max_length={self.max_length}; {tokens_were} cut off")

    def _check_labels(self, counts: Counts) -> None:
        empty = np.flatnonzero(counts.n_label == 0)
        if not len(empty):
            return
        named = ", ".join(counts.ids[row] for row in empty[:3]) + (", …" if len(empty) > 3 else "")
        cut = counts.truncated[empty].any()
        longer = f"raise max_length (now {self.max_length}), or leave long rows out: sluice docs tokens"
        hint = longer if cut else "give each a reply, or drop them"
        rows_have = "1 row has" if len(empty) == 1 else f"{len(empty):,} rows have"
        raise DataError(f"{rows_have} no label tokens: {named}", hint)


def end_ids(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that end a reply: the end token, and the end-of-turn marker where it is one token of its own.

    A base model's end token is often not the one its chat template closes a turn with.
    """
    closer = tokenizer(Encoder(tokenizer).closer, add_special_tokens=False)["input_ids"]
    found = {tokenizer.eos_token_id} | (set(closer) if len(closer) == 1 else set())
    return sorted(i for i in found if i is not None)


def collate(batch: Sequence[Encoded], pad_id: int) -> dict[str, torch.Tensor]:
    """Right-padded `input_ids`, `attention_mask` and `labels`, each (B, T). Masks come from lengths, not from ids."""
    width = max(len(row.ids) for row in batch)

    def padded(rows: Iterator[list[int]], filler: int) -> torch.Tensor:
        return torch.tensor([row + [filler] * (width - len(row)) for row in rows])  # (B, T)

    return {
        "input_ids": padded((row.ids for row in batch), pad_id),
        "attention_mask": padded(([1] * len(row.ids) for row in batch), 0),
        "labels": padded((row.labels for row in batch), IGNORED),
    }


def length_batches(
    lengths: Sequence[int], *, batch_size: int | None = None, batch_tokens: int | None = None
) -> list[list[int]]:
    """Positions in batches of like length, longest first, so that memory runs out at once or not at all.

    Args:
        lengths: tokens of each row.
        batch_size: rows a batch may have.
        batch_tokens: tokens a batch may have, padding counted; a longer row is alone in its batch.
    """
    batches: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        last = batches[-1] if batches else []
        fits = (batch_size is None or len(last) < batch_size) and (
            batch_tokens is None or (len(last) + 1) * lengths[last[0] if last else i] <= batch_tokens
        )
        if last and fits:
            last.append(i)
        else:
            batches.append([i])
    return batches


def _chunks(records: Sequence[Record]) -> list[Sequence[Record]]:
    return [records[i : i + CHUNK_ROWS] for i in range(0, len(records), CHUNK_ROWS)]


def _shared(text: str, other: str) -> str:
    """The longest start both have."""
    if text.startswith(other):
        return other
    return text[: next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), len(text))]


def _lost(name: str, turn: int) -> DataError:
    where = f"row {name}: cannot tell where turn {turn + 1} stands in what the chat template renders"
    return DataError(where, "the template rewrites earlier turns; train on single turns or change it")
