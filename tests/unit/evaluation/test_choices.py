from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sluicegate.evaluation.choices import Weighed, choices_of, weigh
from sluicegate.evaluation.task import load_task
from sluicegate.models.encode import Encoder
from sluicegate.models.load import load
from sluicegate.schema import Message, Record
from sluicegate.testing import tiny_model, tiny_pool

QUESTIONS: list[list[Message]] = [[{"role": "user", "content": text}] for text in ("Is it?", "How many are there?")]
CHOICES = [["yes", "no"], ["one", "two and a half", "3"]]


def test_the_likeliest_choice_hangs_on_its_length_unless_per_byte() -> None:
    weighed = Weighed(nats=[6.0, 9.0, 5.5], n_bytes=[4, 12, 2])
    assert (weighed.likeliest, weighed.likeliest_per_byte) == (2, 1)


def test_nats_are_those_of_the_choice_given_the_question(tmp_path: Path) -> None:
    loaded = load(tiny_model(tmp_path / "model"), device="cpu")
    encoder = Encoder(loaded.tokenizer)
    found = weigh(loaded, encoder, QUESTIONS, CHOICES)
    for prompt, choices, weighed in zip(QUESTIONS, CHOICES, found, strict=True):
        for choice, nats in zip(choices, weighed.nats, strict=True):
            record: Record = {**tiny_pool(1)[0], "messages": [*prompt, {"role": "assistant", "content": choice}]}
            (row,) = encoder.encode_batch([record])
            ids = torch.tensor([row.ids])
            with torch.no_grad():
                logs = loaded.model(ids).logits[0, :-1].log_softmax(-1)
            ((start, end),) = row.spans
            plain = -sum(float(logs[at - 1, row.ids[at]]) for at in range(start, end))
            assert nats == pytest.approx(plain, rel=1e-5)
    assert [w.n_bytes for w in found] == [[3, 2], [3, 14, 1]]


def test_a_task_shows_the_choices_by_their_letters() -> None:
    record: Record = {
        **tiny_pool(1)[0],
        "messages": [*QUESTIONS[1], {"role": "assistant", "content": "3"}],
        "meta": '{"choices": ["one", "3"]}',
    }
    assert choices_of(record) == ["one", "3"]
    (turn,) = load_task("choice").messages(record, think=False)
    assert turn["content"].startswith("How many are there?\n\nA. one\nB. 3\n\nAnswer with the letter")
