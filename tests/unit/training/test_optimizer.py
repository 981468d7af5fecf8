from __future__ import annotations

import torch
from torch.optim import AdamW, Muon

from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training.optimizer import make_optimizers, set_rate, step
from sluicegate.training.schedule import Schedule

SCHEDULE = Schedule(learning_rate=1e-2, weight_decay=0.1)


def tiny() -> GPTForCausalLM:
    torch.manual_seed(0)
    return GPTForCausalLM(GPTConfig(vocab_size=30, hidden_size=32, intermediate_size=48, num_hidden_layers=2))


def test_every_parameter_has_one_optimizer_and_only_matrices_decay() -> None:
    model = tiny()
    muon, adamw = make_optimizers(model, SCHEDULE)
    assert isinstance(muon, Muon)
    assert isinstance(adamw, AdamW)
    (inner,), (outer, vectors) = muon.param_groups, adamw.param_groups
    assert [id(p) for p in outer["params"]] == [id(model.model.embed_tokens.weight)]
    assert {p.ndim for p in vectors["params"]} == {1}
    assert (inner["weight_decay"], outer["weight_decay"], vectors["weight_decay"]) == (0.1, 0.1, 0.0)
    owned = [id(p) for group in (inner, outer, vectors) for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in model.parameters())


def test_a_step_moves_everything_and_forgets_the_gradients() -> None:
    model = tiny()
    optimizers = make_optimizers(model, SCHEDULE)
    before = [p.detach().clone() for p in model.parameters()]
    model(input_ids=torch.arange(20)[None], labels=torch.arange(20)[None]).loss.backward()
    set_rate(optimizers, 1e-3)
    step(optimizers)
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
    assert all(p.grad is None for p in model.parameters())


def test_a_rate_of_nothing_moves_nothing() -> None:
    model = tiny()
    optimizers = make_optimizers(model, SCHEDULE)
    before = [p.detach().clone() for p in model.parameters()]
    model(input_ids=torch.arange(20)[None], labels=torch.arange(20)[None]).loss.backward()
    set_rate(optimizers, 0.0)
    step(optimizers)
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))
