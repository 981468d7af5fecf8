from __future__ import annotations

import torch
from torch.optim import AdamW, Muon

from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training.scratch.optimizer import make_optimizers, set_rate
from sluicegate.training.scratch.schedule import Schedule

SCHEDULE = Schedule(learning_rate=1e-2, weight_decay=0.1)


def tiny(tied: bool = True) -> GPTForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    return GPTForCausalLM(GPTConfig(vocab_size=30, **shape, tie_word_embeddings=tied))


def owned(optimizers: list[torch.optim.Optimizer]) -> list[int]:
    return sorted(id(p) for each in optimizers for group in each.param_groups for p in group["params"])


def test_every_parameter_has_one_optimizer_and_only_matrices_decay() -> None:
    model = tiny()
    muon, adamw = optimizers = make_optimizers(model, SCHEDULE)
    assert isinstance(muon, Muon)
    assert isinstance(adamw, AdamW)
    (inner,), (outer, vectors) = muon.param_groups, adamw.param_groups
    assert [id(p) for p in outer["params"]] == [id(model.model.embed_tokens.weight)]
    assert {p.ndim for p in vectors["params"]} == {1}
    assert (inner["weight_decay"], outer["weight_decay"], vectors["weight_decay"]) == (0.1, 0.1, 0.0)
    assert owned(optimizers) == sorted(id(p) for p in model.parameters())


def test_a_head_of_its_own_is_no_matter_for_muon() -> None:
    model = tiny(tied=False)
    muon, adamw = make_optimizers(model, SCHEDULE)
    assert id(model.lm_head.weight) not in owned([muon])
    assert owned([muon, adamw]) == sorted(id(p) for p in model.parameters())


def test_adamw_can_take_all() -> None:
    model = tiny()
    (adamw,) = make_optimizers(model, SCHEDULE.model_copy(update={"optimizer": "adamw", "beta2": 0.95}))
    matrices, vectors = adamw.param_groups
    assert isinstance(adamw, AdamW)
    assert adamw.defaults["fused"]
    assert {p.ndim for p in matrices["params"]} == {2}
    assert (matrices["weight_decay"], vectors["weight_decay"], matrices["betas"]) == (0.1, 0.0, (0.9, 0.95))
    assert owned([adamw]) == sorted(id(p) for p in model.parameters())


def test_a_step_moves_everything_and_a_rate_of_nothing_moves_nothing() -> None:
    model = tiny()
    optimizers = make_optimizers(model, SCHEDULE)
    for rate, moved in ((0.0, False), (1e-3, True)):
        before = [p.detach().clone() for p in model.parameters()]
        model(input_ids=torch.arange(20)[None], labels=torch.arange(20)[None]).loss.backward()
        set_rate(optimizers, rate)
        for each in optimizers:
            each.step()
        assert all(torch.equal(old, new) != moved for old, new in zip(before, model.parameters(), strict=True))
