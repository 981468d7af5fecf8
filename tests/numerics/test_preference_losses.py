"""What trl is made to compute is what the papers say, of the reference the user thinks it is.

The expected numbers come from a plain pass of the model in float64, token by token.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.models import adapters
from sluicegate.models.encode import IGNORED, Encoded
from sluicegate.models.load import load
from sluicegate.testing import MIXTURES, Family, tiny_model
from sluicegate.training.preference.config import DpoConfig, LossName, OrpoConfig, PreferenceConfig
from sluicegate.training.preference.prefer import open_model, prefer
from sluicegate.training.preference.reference import Reference
from sluicegate.training.preference.rows import EncodedPairs
from sluicegate.training.tuning_arguments import tuning_arguments
from tiny_pairs import assistant, encoded_pairs, tiny_pair, tiny_pairs, user

FROZEN = 1e-30
"""A learning rate that changes no weight."""
PLAIN = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '[' + m['content'] + ']' }}"
    "{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
)
"""A chat template with nothing behind the end token: trl would take that for a label."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base"), "qwen3")


@pytest.fixture(scope="module")
def tuned(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that moved away from its base."""
    out = tmp_path_factory.mktemp("adapter")
    loaded = load(folder, device="cpu")
    model: Any = adapters.attach(loaded.model, adapters.LoraSettings(rank=4))
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapters.save_adapter(model, out, folder)
    loaded.tokenizer.save_pretrained(out)
    return out


@torch.no_grad()
def token_log_probs(model: Any, side: Encoded) -> Tensor:
    """log p of each label token, (n,)."""
    exact = model if model.config.model_type in MIXTURES else model.double()  # experts are not computed in float64
    log_p = exact.eval()(torch.tensor([side.ids])).logits[0].log_softmax(-1)  # (T, V)
    places = [t for t, label in enumerate(side.labels) if label != IGNORED]
    return torch.stack([log_p[t - 1, side.ids[t]] for t in places])


def by_hand(model: Any, pairs: EncodedPairs, of: Callable[[Tensor], Tensor] = torch.sum) -> Tensor:
    """Sum, or mean, of the log p of both sides: (N, 2)."""
    return torch.stack([torch.stack([of(token_log_probs(model, side)) for side in pair]) for pair in pairs])


def run(base: Path, out: Path, config: PreferenceConfig, n: int = 4, pairs: list[Any] | None = None) -> Any:
    """A run over pairs that are the batch; returns what was learnt, the pairs and what is kept of the reference."""
    loaded = open_model(base, config)
    rows = encoded_pairs(out, loaded, pairs or tiny_pairs(n))
    columns = {"lang": np.array(["en"] * len(rows)), "source": np.array(["tiny"] * len(rows))}
    has_reference = isinstance(config, DpoConfig) and not config.reference_free
    reference = Reference(out / "reference.npy", len(rows)) if has_reference else None
    return prefer(loaded, rows, columns, config, out / "made", reference), rows, reference


def dpo(**settings: Any) -> DpoConfig:
    return DpoConfig(**{"method": "full", "total_batch": 4, "max_steps": 1, **settings})


def orpo(**settings: Any) -> OrpoConfig:
    return OrpoConfig(**{"method": "full", "total_batch": 4, "max_steps": 1, **settings})


# The reference ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["full", "lora"])
def test_before_the_first_step_nothing_is_preferred(method: Any, folder: Path, tmp_path: Path) -> None:
    made, *_ = run(folder, tmp_path, dpo(method=method))
    (first,) = made.curve
    assert first["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert first["rewards/chosen"] == first["rewards/rejected"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("beta", [1e-6, 0.1])
def test_the_implicit_rewards_of_a_frozen_policy_are_zero(
    method: Any, beta: float, folder: Path, tmp_path: Path
) -> None:
    made, *_ = run(folder, tmp_path, dpo(method=method, beta=beta, learning_rate=FROZEN, max_steps=4))
    for point in made.curve:
        assert point["rewards/margins"] == pytest.approx(0, abs=1e-5)
        assert point["loss"] == pytest.approx(math.log(2), abs=1e-5)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_reference_is_the_model_given(method: Any, folder: Path, tmp_path: Path) -> None:
    """With an adapter, the base without it; and training changes nothing in what is kept."""
    _, pairs, reference = run(folder, tmp_path, dpo(method=method, learning_rate=0.1, max_steps=5))
    expected = by_hand(load(folder, device="cpu").model, pairs)
    np.testing.assert_allclose(reference.values, expected.numpy(), rtol=1e-5)


def test_a_base_with_dropout_prefers_nothing_either(folder: Path, tmp_path: Path) -> None:
    config = folder / "config.json"
    shutil.copytree(folder, tmp_path / "base")
    told = {**json.loads(config.read_text(encoding="utf-8")), "attention_dropout": 0.5}
    (tmp_path / "base" / "config.json").write_text(json.dumps(told), encoding="utf-8")
    made, *_ = run(tmp_path / "base", tmp_path, dpo())
    assert made.curve[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert made.model.config.attention_dropout == 0.5, "it keeps its config"


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_reference_of_an_adapter_is_the_adapter_on_its_base(
    method: Any, folder: Path, tuned: Path, tmp_path: Path
) -> None:
    made, pairs, reference = run(tuned, tmp_path, dpo(method=method))
    expected = by_hand(load(tuned, device="cpu").model, pairs)
    np.testing.assert_allclose(reference.values, expected.numpy(), rtol=1e-5)
    assert not np.allclose(expected, by_hand(load(folder, device="cpu").model, pairs), rtol=1e-2), "it is another model"
    assert made.curve[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)


def test_a_run_is_that_of_bare_trl_with_a_second_model_for_reference(tmp_path: Path) -> None:
    """trl renders, tokenizes and reads the reference on the way itself, here; ours knows all of it before."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    base = tiny_model(tmp_path / "base", "qwen3")
    tokenizer = load(base, device="cpu").tokenizer
    tokenizer.chat_template = PLAIN
    tokenizer.save_pretrained(base)
    config, pairs = dpo(max_steps=5, learning_rate=1e-2, total_batch=2), [tiny_pair(n) for n in (1, 7)]
    made, *_ = run(base, tmp_path, config, pairs=pairs)

    policy, reference = load(base, device="cpu").model, load(base, device="cpu").model
    args = DPOConfig(**tuning_arguments(config, policy.device, 5, tmp_path / "bare"))
    rows = [{side: pair[side] for side in ("prompt", "chosen", "rejected")} for pair in pairs]  # type: ignore[literal-required]
    trainer = DPOTrainer(policy, reference, args, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
    trainer.train()
    theirs = [entry for entry in trainer.state.log_history if "loss" in entry]
    for name in ("loss", "rewards/margins", "rewards/chosen"):
        ours = [point[name] for point in made.curve]
        assert ours == pytest.approx([entry[name] for entry in theirs], rel=1e-3, abs=1e-5)
    assert made.curve[-1]["loss"] < 0.9 * made.curve[0]["loss"]


# The losses ---------------------------------------------------------------------------------------------------------

SOME = {"beta": 0.3, "reference_free": True}
"""Without a reference z is far from 0 at once, and every term of a loss counts."""


def losses(log_p: Tensor, n: Tensor, config: DpoConfig) -> dict[str, Tensor]:
    """Of each pair, from the log-probabilities (N, 2) and label tokens (N, 2), as the papers write them."""
    e, b = config.label_smoothing, config.beta
    z = b * (log_p[:, 0] - log_p[:, 1]) + config.length_penalty * (n[:, 0] - n[:, 1])
    mean = log_p / n
    return {
        "sigmoid": -(1 - e) * F.logsigmoid(z) - e * F.logsigmoid(-z),
        "robust": (-(1 - e) * F.logsigmoid(z) + e * F.logsigmoid(-z)) / (1 - 2 * e),
        "hinge": (1 - z).clamp(min=0),
        "ipo": (mean[:, 0] - mean[:, 1] - 1 / (2 * b)) ** 2,
        "sigmoid_norm": -F.logsigmoid(b * (mean[:, 0] - mean[:, 1])),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"label_smoothing": 0.1},
        {"label_smoothing": 0.49},
        {"length_penalty": 0.02},
        {"length_penalty": 0.5, "label_smoothing": 0.2},
        {"loss": "robust", "label_smoothing": 0.1, "length_penalty": 0.02},
        {"loss": "hinge"},
        {"loss": "ipo"},
        {"loss": "sigmoid_norm"},
    ],
)
def test_a_loss_is_what_its_paper_says(settings: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    config = dpo(**SOME, **settings)
    made, pairs, _ = run(folder, tmp_path, config)
    log_p, n = by_hand(load(folder, device="cpu").model, pairs), torch.tensor([[s.n_label for s in p] for p in pairs])
    assert (n[:, 0] != n[:, 1]).all()
    assert made.curve[0]["loss"] == pytest.approx(losses(log_p, n, config)[config.loss].mean().item(), rel=1e-5)


@pytest.mark.parametrize("loss", get_args(LossName))
def test_every_loss_of_trl_takes_a_step(loss: Any, folder: Path, tmp_path: Path) -> None:
    smoothing = 0.001 if loss == "exo_pair" else 0.0
    made, *_ = run(folder, tmp_path, dpo(loss=loss, label_smoothing=smoothing, learning_rate=1e-2, max_steps=4))
    assert made.steps == 4
    assert made.curve[0]["grad_norm"] > 0
    if loss != "discopop":  # which rises before it falls, as its paper shows
        assert made.curve[-1]["loss"] < made.curve[0]["loss"]


def test_a_reward_is_beta_times_the_log_ratio_and_what_its_length_costs(folder: Path, tmp_path: Path) -> None:
    made, pairs, _ = run(folder, tmp_path, dpo(beta=0.2, length_penalty=0.05))
    n_chosen = np.mean([pair.chosen.n_label for pair in pairs])
    assert made.curve[0]["rewards/chosen"] == pytest.approx(0.05 * n_chosen, rel=1e-4)


def test_orpo_is_what_its_paper_says(folder: Path, tmp_path: Path) -> None:
    """Equations 3 to 7 of arXiv 2403.07691, over the label tokens, with a prompt that has a reply of its own."""
    prompt = [user("One?"), assistant("One is one."), user("Two?")]
    made, pairs, _ = run(folder, tmp_path, orpo(beta=0.25), pairs=[*tiny_pairs(3), tiny_pair(3, prompt=prompt)])
    log_p = by_hand(load(folder, device="cpu").model, pairs, torch.mean)  # (N, 2)
    odds = log_p.exp() / (1 - log_p.exp())
    ratio = -F.logsigmoid((odds[:, 0] / odds[:, 1]).log())
    assert made.curve[0]["loss"] == pytest.approx((-log_p[:, 0] + 0.25 * ratio).mean().item(), rel=1e-5)


# Batches ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [dpo, orpo])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_batch_may_be_split_over_forward_passes(config: Any, method: Any, folder: Path, tmp_path: Path) -> None:
    """Sides differ in length, so a mean over the tokens of a pass would give other weights."""
    settings = {"method": method, "max_steps": 3, "learning_rate": 1e-3, "seed": 3}
    whole, parts = (
        run(folder, tmp_path / str(size), config(**settings, device_batch_size=size), n=8)[0] for size in (4, 1)
    )
    for (name, one), other in zip(whole.model.named_parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=1e-4, msg=lambda m, name=name: f"{name}: {m}")
    assert [p["loss"] for p in whole.curve] == pytest.approx([p["loss"] for p in parts.curve], rel=1e-4)


@pytest.mark.parametrize("config", [dpo, orpo])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_computing_activations_twice_changes_nothing(config: Any, method: Any, folder: Path, tmp_path: Path) -> None:
    settings = {"method": method, "max_steps": 2, "learning_rate": 1e-2}
    one, two = (
        run(folder, tmp_path / str(twice), config(**settings, checkpoint_activations=twice))[0]
        for twice in (False, True)
    )
    for (name, parameter), other in zip(one.model.named_parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(parameter, other, msg=lambda m, name=name: f"{name}: {m}")
    assert any(p["grad_norm"] > 0 for p in two.curve)


@pytest.mark.parametrize("family", ["gemma2", "cohere", "granite", "mixtral", "gpt2", "sluice_gpt"])
def test_log_probabilities_are_the_models_own(family: Family, tmp_path: Path) -> None:
    """trl reads them off the head by itself; these families scale or cap their logits, mix experts or drop out."""
    base = tiny_model(tmp_path / "base", family)
    made, pairs, reference = run(base, tmp_path, dpo())
    expected = by_hand(load(base, device="cpu").model, pairs)
    np.testing.assert_allclose(reference.values, expected.numpy(), rtol=1e-4)
    assert made.curve[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
