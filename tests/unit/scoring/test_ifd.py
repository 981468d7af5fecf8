"""The ratio of two losses, by hand and against a look at each row on its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from sluicegate.config import build
from sluicegate.models.load import Loaded
from sluicegate.schema import Record
from sluicegate.scoring.base import Batch, Shard
from sluicegate.scoring.ifd import Ifd


def scores(shard: Shard, **options: Any) -> list[float | str]:
    return list(Ifd().score(shard, build(Ifd.Config, options)))


def test_it_observes_the_mean_loss_with_the_prompt_and_without(make_batch: Callable[..., Batch]) -> None:
    batch = make_batch([[1.0, 3.0], [0.5]], [[0.0, 0.0], [0.0]], free=[[4.0, 4.0], [2.0]])
    assert Ifd().observe(batch, Ifd.Config()).tolist() == [[2.0, 4.0], [0.5, 2.0]]


def test_the_ratio_is_of_losses_or_of_perplexities(make_shard: Any) -> None:
    shard = make_shard([2, 1], observed=[[2.0, 4.0], [0.5, 2.0]])
    assert scores(shard) == [0.5, 0.25]
    assert scores(shard, ratio="perplexity") == pytest.approx([math.exp(-2.0), math.exp(-1.5)])


@pytest.mark.parametrize("ratio", ["loss", "perplexity"])
def test_a_row_whose_prompt_does_not_help_has_no_score_unless_it_is_asked_for(ratio: str, make_shard: Any) -> None:
    shard = make_shard([1, 1, 1], observed=[[2.0, 1.0], [1.0, 1.0], [1.0, 2.0]])
    worse, same, better = scores(shard, ratio=ratio)
    assert str(worse).startswith("its prompt does not help: IFD 2.")
    assert same == "its prompt does not help: IFD 1.00"
    assert isinstance(better, float)
    kept = scores(shard, ratio=ratio, keep_unhelped=True)
    assert kept == sorted(kept, reverse=True)
    assert kept[1:] == [1.0, better]


def test_a_response_known_by_heart_has_no_finite_ratio_and_a_row_not_read_has_a_reason(make_shard: Any) -> None:
    known, unread = scores(make_shard([1, 0], observed=[[0.0, 0.0], [math.nan, math.nan]]))
    assert math.isnan(known)  # type: ignore[arg-type]
    assert unread == "no response token left"


@torch.no_grad()
def slow_ifd(loaded: Loaded, record: Record) -> float:
    """Two plain forwards: of the conversation, and of the reply behind its header alone."""
    question, reply = (m["content"] for m in record["messages"])
    header, tail = "<|im_start|>assistant\n", f"{reply}<|im_end|>"
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n{header}"
    losses = []
    for before in (prompt, header):
        ids, n = (loaded.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (before + tail, before))
        log_p = loaded.model(torch.tensor([ids])).logits[0].log_softmax(-1)
        losses.append(-np.mean([float(log_p[t - 1, ids[t]]) for t in range(len(n), len(ids))]))
    return losses[0] / losses[1]


def test_it_is_what_two_plain_forwards_of_each_row_say(
    loaded: Loaded, records: list[Record], take: Callable[..., Shard]
) -> None:
    rows = [record for record in records if len(record["messages"]) == 2]
    found = scores(take(loaded, Ifd, {}, rows), keep_unhelped=True)
    wanted = [slow_ifd(loaded, record) for record in rows]
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-4)
    assert np.ptp(wanted) > 0.05


@pytest.mark.parametrize("header", [False, True])
def test_a_text_without_a_prompt_has_no_score_unless_it_is_asked_for(header: bool, make_shard: Any) -> None:
    shard = make_shard([2], observed=[[1.0, 1.0001]])
    (row,) = shard.encoded
    bare = [replace(row, spans=[(3, 4)], n_header=3) if header else replace(row, spans=[(1, 4)], n_header=0)]
    assert isinstance(scores(shard)[0], float)
    assert scores(replace(shard, encoded=bare)) == ["it has no prompt"]
    assert scores(replace(shard, encoded=bare), keep_unhelped=True) == [pytest.approx(1, abs=1e-3)]


def test_documents_are_told_from_answers(loaded: Loaded, records: list[Record], take: Callable[..., Shard]) -> None:
    found = scores(take(loaded, Ifd, {}, records))
    documents = [len(record["messages"]) == 1 for record in records]
    assert [score == "it has no prompt" for score in found] == documents
    assert any(documents)
