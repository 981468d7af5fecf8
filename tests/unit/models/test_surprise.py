"""Chunked loss and entropy equal what the model's own logits say."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
import torch.nn.functional as F

from sluicegate.errors import ArtifactError
from sluicegate.models import surprise
from sluicegate.models.encode import Encoded
from sluicegate.models.surprise import check_head, read, without_prompt
from sluicegate.testing import Family, tiny_config
from tiny_architectures import tiny_architecture

ROWS = [
    Encoded("a", list(range(10, 30)), [(5, 20)], 2, 0),
    Encoded("b", list(range(40, 52)), [(4, 6), (9, 12)], 2, 0),
    Encoded("c", list(range(60, 63)), [(1, 3)], 0, 0),
]


@pytest.mark.parametrize("family", get_args(Family))
def test_loss_and_entropy_are_those_of_the_models_own_logits(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_architecture(family)
    monkeypatch.setattr(surprise, "CHUNK", 7)
    reading = read(model, ROWS, pad_id=0)
    at = 0
    for b, row in enumerate(ROWS):
        with torch.no_grad():
            log_p = model(torch.tensor([row.ids])).logits[0].float().log_softmax(-1)
        for start, end in row.spans:
            for t in range(start, end):
                assert (int(reading.row[at]), int(reading.position[at])) == (b, t)
                wanted = F.nll_loss(log_p[t - 1 : t], torch.tensor([row.ids[t]]))
                torch.testing.assert_close(reading.loss[at], wanted, atol=2e-5, rtol=1e-4)
                wanted_entropy = -(log_p[t - 1].exp() * log_p[t - 1]).sum()
                torch.testing.assert_close(reading.entropy[at], wanted_entropy, atol=2e-5, rtol=1e-4)
                at += 1
    assert at == len(reading.loss)


def test_the_row_loss_is_the_loss_the_model_itself_reports(make_model: Any) -> None:
    model = make_model("Qwen2", 99)
    row = ROWS[0]
    with torch.no_grad():
        own = model(torch.tensor([row.ids]), labels=torch.tensor([row.labels])).loss
    torch.testing.assert_close(read(model, [row], 0).row_loss()[0], own)


def test_prompt_state_is_the_mean_over_the_tokens_before_the_response(make_model: Any) -> None:
    model = make_model("Llama", 99)
    with torch.no_grad():
        hidden = model.model(torch.tensor([ROWS[0].ids])).last_hidden_state[0]
    torch.testing.assert_close(read(model, ROWS, 0).prompt_state[0], hidden[:5].mean(0), atol=2e-5, rtol=1e-4)


def test_without_prompt_keeps_headers_and_every_response_token() -> None:
    alone = without_prompt(ROWS[1])
    assert alone.ids == [42, 43, 44, 45, 47, 48, 49, 50, 51]
    assert alone.spans == [(2, 4), (6, 9)]
    assert alone.n_label == ROWS[1].n_label


def test_a_response_without_header_keeps_the_one_token_it_is_predicted_from() -> None:
    assert without_prompt(Encoded("x", [5, 6, 7, 8], [(2, 4)], 0, 0)).ids == [6, 7, 8]


def random_model(config: Any) -> Any:
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", get_args(Family))
def test_the_head_of_every_known_architecture_is_known(family: Family, dtype: torch.dtype) -> None:
    check_head(random_model(tiny_config(family, vocab_size=99, pad_token_id=0, eos_token_id=1)).to(dtype))


def test_a_model_that_scales_its_logits_in_a_way_of_its_own_is_refused() -> None:
    from transformers import LlamaForCausalLM

    class Loud(LlamaForCausalLM):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            out = super().forward(*args, **kwargs)
            out.logits = 1.1 * out.logits
            return out

    model = Loud(tiny_config("llama", vocab_size=99, pad_token_id=0, eos_token_id=1)).eval()
    with pytest.raises(ArtifactError, match=r"Loud \(model type 'llama'\) makes its logits in a way not known here"):
        check_head(model)


def test_a_scale_whose_name_is_not_known_is_found_in_a_published_architecture() -> None:
    from transformers import AutoConfig

    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    mamba = {"mamba_d_ssm": 16, "mamba_n_heads": 2, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 4}
    config = AutoConfig.for_model(
        "falcon_h1", vocab_size=99, **sizes, **mamba, num_key_value_heads=1, head_dim=8, lm_head_multiplier=0.5
    )
    with pytest.raises(ArtifactError, match="falcon_h1"):
        check_head(random_model(config))


def test_a_broken_model_is_not_blamed_on_its_head(make_model: Any) -> None:
    model = make_model("Qwen2", 99)
    model.model.norm.weight.data.fill_(torch.nan)
    check_head(model)
