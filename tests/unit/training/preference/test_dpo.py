"""What trl is given of a batch, and of a loss it does not have under one name; without trl."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from sluicegate.errors import ArtifactError
from sluicegate.models.load import Loaded, load
from sluicegate.testing import tiny_model
from sluicegate.training.preference.config import DpoConfig
from sluicegate.training.preference.dpo import DpoCollator, check_log_probs, trl_loss
from sluicegate.training.preference.reference import Reference
from tiny_pairs import encoded_pairs, tiny_pairs

Z = torch.linspace(-9, 9, 37, dtype=torch.float64)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tiny_model(tmp_path_factory.mktemp("base")), device="cpu")


@pytest.mark.parametrize("e", [0.001, 0.1, 0.25, 0.49])
def test_conservative_dpo_is_two_of_trls_losses(e: float) -> None:
    names, weights, smoothing = trl_loss(DpoConfig(label_smoothing=e))
    robust = (-(1 - smoothing) * logsigmoid(Z) + smoothing * logsigmoid(-Z)) / (1 - 2 * smoothing)
    found = sum(
        weight * {"sigmoid": -logsigmoid(Z), "robust": robust}[name]
        for name, weight in zip(names, weights, strict=True)
    )
    torch.testing.assert_close(found, -(1 - e) * logsigmoid(Z) - e * logsigmoid(-Z))


def test_other_losses_go_by_their_name() -> None:
    assert trl_loss(DpoConfig()) == (["sigmoid"], [1.0], 0.0)
    assert trl_loss(DpoConfig(loss="robust", label_smoothing=0.1)) == (["robust"], [1.0], 0.1)


def test_a_batch_has_the_reference_of_its_own_pairs(loaded: Loaded, tmp_path: Path) -> None:
    pairs, reference = encoded_pairs(tmp_path, loaded, tiny_pairs(5)), Reference(tmp_path / "r.npy", 5)
    reference.values[:] = np.arange(10).reshape(5, 2)
    plain, tilted, free = (
        DpoCollator(pairs, 0, DpoConfig(beta=0.2, length_penalty=a), r)([{"pair": 3}, {"pair": 1}])
        for a, r in ((0.0, reference), (0.02, reference), (0.0, None))
    )
    assert (plain["ref_chosen_logps"].tolist(), plain["ref_rejected_logps"].tolist()) == ([6, 2], [7, 3])
    n_chosen = torch.tensor([float(pairs[n].chosen.n_label) for n in (3, 1)])
    torch.testing.assert_close(tilted["ref_chosen_logps"], plain["ref_chosen_logps"] - 0.1 * n_chosen)
    assert free["ref_chosen_logps"].tolist() == [0, 0]
    assert plain["completion_mask"].sum(dim=1).tolist() == [pairs[n][side].n_label for side in (0, 1) for n in (3, 1)]
    assert set(plain) == {"input_ids", "attention_mask", "completion_mask", "ref_chosen_logps", "ref_rejected_logps"}


def test_a_model_whose_logits_trl_does_not_know_is_refused(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = loaded.model.forward

    def scaled(input_ids: Any, fused_lm_head: bool = False, labels: Any = None, **rest: Any) -> Any:
        out = forward(input_ids=input_ids, **rest)
        own = out.logits.log_softmax(-1)[:, :-1].gather(-1, input_ids[:, 1:, None])[..., 0]
        out["log_probs"] = own * 1.5 if fused_lm_head else own
        return out

    monkeypatch.setattr(loaded.model, "forward", scaled)
    with pytest.raises(
        ArtifactError, match="trl makes log-probabilities of Qwen2ForCausalLM that are not the model's own"
    ):
        check_log_probs(loaded.model)
