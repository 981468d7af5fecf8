from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.evaluation.loss import ReplyLoss, mean_loss, reply_losses
from sluicegate.models import adapters
from sluicegate.models.encode import Encoder, collate
from sluicegate.models.load import Loaded, load
from sluicegate.schema import make_record
from sluicegate.testing import tiny_model, tiny_pool

CHAT: Any = [
    {"role": role, "content": text}
    for role, text in [("user", "One?"), ("assistant", "Two."), ("user", "And then?"), ("assistant", "Three, four.")]
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tiny_model(tmp_path_factory.mktemp("model"), "qwen3"), device="cpu")


def loss_of(*args: Any) -> float | None:
    return mean_loss(reply_losses(*args))


def test_it_is_the_loss_the_model_itself_reports_of_a_batch(loaded: Loaded) -> None:
    encoder, rows = Encoder(loaded.tokenizer), tiny_pool(7)
    batch = collate([encoder.encode(row) for row in rows], loaded.tokenizer.pad_token_id)
    with torch.no_grad():
        own = loaded.model(**batch).loss.item()
    assert loss_of(loaded, encoder, rows) == pytest.approx(own, abs=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_batches_change_nothing(loaded: Loaded, batch_tokens: int) -> None:
    encoder, rows = Encoder(loaded.tokenizer), tiny_pool(12)
    expected = loss_of(loaded, encoder, rows)
    assert loss_of(loaded, encoder, rows[::-1], batch_tokens) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 100_000])
def test_every_row_has_its_own_loss_in_order(loaded: Loaded, batch_tokens: int) -> None:
    encoder, rows = Encoder(loaded.tokenizer), tiny_pool(9)
    for row, found in zip(rows, reply_losses(loaded, encoder, rows, batch_tokens), strict=True):
        encoded = encoder.encode(row)
        with torch.no_grad():
            own = loaded.model(**collate([encoded], loaded.tokenizer.pad_token_id)).loss.item()
        assert found.loss == pytest.approx(own, abs=1e-5)
        assert found.n_label_tokens == encoded.n_label


def test_every_token_counts_once() -> None:
    assert mean_loss([ReplyLoss(1.0, 30), ReplyLoss(None, 0), ReplyLoss(3.0, 10)]) == 1.5
    assert mean_loss([ReplyLoss(None, 0)]) is None


def test_only_the_last_reply_counts(loaded: Loaded) -> None:
    encoder, chat = Encoder(loaded.tokenizer), make_record(CHAT, "chat", "en")
    row = encoder.encode(chat)
    start, end = row.spans[1]
    ids = torch.tensor([row.ids])
    labels = torch.full_like(ids, -100)
    labels[0, start:end] = ids[0, start:end]
    with torch.no_grad():
        own = loaded.model(ids, labels=labels).loss.item()
    assert loss_of(loaded, encoder, [chat]) == pytest.approx(own, abs=1e-5)


def test_a_last_reply_that_was_cut_off_is_not_replaced_by_an_earlier_one(loaded: Loaded) -> None:
    chat = make_record(CHAT, "chat", "en")
    first_end = Encoder(loaded.tokenizer).encode(chat).spans[0][1]
    whole, cut = Encoder(loaded.tokenizer), Encoder(loaded.tokenizer, max_length=first_end)
    assert loss_of(loaded, cut, [chat]) is None
    short = tiny_pool(1)[0]
    first, second = reply_losses(loaded, cut, [chat, {**short, "messages": CHAT[:2]}])
    assert first == (None, 0)
    assert second.n_label_tokens == whole.encode(chat).spans[0][1] - whole.encode(chat).spans[0][0]


def test_no_rows_no_loss(loaded: Loaded) -> None:
    assert loss_of(loaded, Encoder(loaded.tokenizer), []) is None


def test_an_adapter_counts(tmp_path: Path) -> None:
    loaded = load(tiny_model(tmp_path), device="cpu")
    encoder, rows = Encoder(loaded.tokenizer), tiny_pool(4)
    plain = loss_of(loaded, encoder, rows)
    torch.manual_seed(0)
    adapted: Any = adapters.attach(loaded.model, adapters.LoraSettings(rank=2))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    batch = collate([encoder.encode(row) for row in rows], loaded.tokenizer.pad_token_id)
    with torch.no_grad():
        own = adapted(**batch).loss.item()
    assert loss_of(Loaded(adapted, loaded.tokenizer), encoder, rows) == pytest.approx(own, abs=1e-5)
    assert abs(own - plain) > 1e-3
