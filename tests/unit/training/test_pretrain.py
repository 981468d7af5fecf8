from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sluicegate.errors import ConfigError, DataError
from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training import pretrain as module
from sluicegate.training.pretrain import batches, pack, pretrain
from sluicegate.training.schedule import Schedule

END = 1
SCHEDULE = Schedule(steps=30, batch_rows=4, row_tokens=16, warmup_steps=4, learning_rate=1e-2, checkpoint_every=10)


@pytest.fixture(autouse=True)
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pick_device", lambda: "cpu")


def tiny() -> GPTForCausalLM:
    torch.manual_seed(0)
    return GPTForCausalLM(GPTConfig(vocab_size=30, hidden_size=32, intermediate_size=48, num_hidden_layers=2))


def counting(n: int = 40, seed: int = 0) -> list[Tensor]:
    """Documents that count up from anywhere: easy to learn, each with its end."""
    starts = torch.randint(2, 20, (n,), generator=torch.Generator().manual_seed(seed)).tolist()
    return [torch.tensor([*range(s, s + 9), END], dtype=torch.int32) for s in starts]


def weights(model: GPTForCausalLM) -> list[Tensor]:
    return [p.detach().clone() for p in model.parameters()]


class Killed(Exception):
    """Stands in for SIGKILL."""


def die_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(documents: list[Tensor], schedule: Schedule, start: int = 0) -> Iterator[Tensor]:
        for number, rows in enumerate(batches(documents, schedule, start), start):
            if number == step:
                raise Killed
            yield rows

    monkeypatch.setattr(module, "batches", dying)


def test_the_loss_falls(tmp_path: Path) -> None:
    losses = pretrain(tiny(), counting(), SCHEDULE, tmp_path / "checkpoint")
    assert losses.shape == (30,)
    assert losses[-5:].mean() < 0.5 * losses[0]


@pytest.mark.parametrize("death", [3, 10, 17, 29])
def test_a_killed_run_ends_in_the_very_bytes_of_an_uninterrupted_one(
    death: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, resumed = tiny(), tiny()
    losses = pretrain(whole, counting(), SCHEDULE, tmp_path / "whole")
    with monkeypatch.context() as patch:
        die_at(death, patch)
        with pytest.raises(Killed):
            pretrain(resumed, counting(), SCHEDULE, tmp_path / "killed")
    again = tiny()  # a new process starts from the seeded weights, and from other random numbers
    torch.manual_seed(99)
    assert torch.equal(pretrain(again, counting(), SCHEDULE, tmp_path / "killed"), losses)
    assert all(map(torch.equal, weights(again), weights(whole)))


def test_the_checkpoint_brings_back_the_random_state_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noisy() -> GPTForCausalLM:
        model = tiny()
        model.model.norm.register_forward_hook(lambda norm, args, x: torch.nn.functional.dropout(x, 0.2))
        return model

    torch.manual_seed(5)
    whole = noisy()
    losses = pretrain(whole, counting(), SCHEDULE, tmp_path / "whole")
    killed = noisy()
    with monkeypatch.context() as patch:
        die_at(15, patch)
        with pytest.raises(Killed):
            pretrain(killed, counting(), SCHEDULE, tmp_path / "killed")
    again = noisy()
    torch.manual_seed(99)
    assert torch.equal(pretrain(again, counting(), SCHEDULE, tmp_path / "killed"), losses)


def test_a_half_written_checkpoint_is_never_read(tmp_path: Path) -> None:
    whole, again = tiny(), tiny()
    pretrain(whole, counting(), SCHEDULE, tmp_path / "a")
    (tmp_path / "b.draft").write_bytes(b"half of a checkp")
    pretrain(again, counting(), SCHEDULE, tmp_path / "b")
    assert all(map(torch.equal, weights(again), weights(whole)))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(2, 7), st.text(max_size=3))
def test_packing_only_reorders_documents_and_cuts_the_tail(lengths: list[int], width: int, seed: str) -> None:
    documents = [torch.full((n,), i, dtype=torch.int32) for i, n in enumerate(lengths)]
    rows = pack(documents, width, seed)
    flat = rows.flatten().tolist()
    assert rows.shape == (sum(lengths) // width, width)
    order = list(dict.fromkeys(flat))
    assert sorted(flat, key=order.index) == flat
    assert all(flat.count(i) == lengths[i] for i in order[:-1])
    assert torch.equal(rows, pack(documents, width, seed))


def test_batches_go_through_the_documents_in_a_new_order_each_epoch_and_start_anywhere() -> None:
    documents = [torch.tensor([n, END]) for n in range(2, 30)]  # 56 tokens: three batches of three rows of six
    plan = Schedule(steps=6, batch_rows=3, row_tokens=5)
    stream = list(batches(documents, plan))
    assert [tuple(rows.shape) for rows in stream] == [(3, 6)] * 6
    epochs = [torch.cat(stream[:3]).flatten().tolist(), torch.cat(stream[3:]).flatten().tolist()]
    assert epochs[0] != epochs[1]
    assert all(len(set(epoch)) == 28 for epoch in epochs)
    for start in range(6):
        assert all(map(torch.equal, batches(documents, plan, start), stream[start:]))
    other = next(batches(documents, Schedule(steps=6, batch_rows=3, row_tokens=5, seed=1)))
    assert not torch.equal(other, stream[0])


def test_too_few_tokens_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hold 50 tokens, and one batch takes 68"):
        pretrain(tiny(), counting(5), SCHEDULE, tmp_path / "checkpoint")


def test_a_loss_that_is_no_number_stops_the_run_at_the_next_checkpoint(tmp_path: Path) -> None:
    model = tiny()
    with torch.no_grad():
        model.model.norm.weight[0] = torch.nan
    with pytest.raises(ConfigError, match="step 0"):
        pretrain(model, counting(), SCHEDULE, tmp_path / "checkpoint")
    assert not (tmp_path / "checkpoint").exists()
