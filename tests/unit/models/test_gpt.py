from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_layers import GradientCheckpointingLayer

from sluicegate.errors import ConfigError, DataError
from sluicegate.models.gates.base import attach, attached
from sluicegate.models.gates.surprise import N_SURPRISE, SurpriseGate
from sluicegate.models.gpt import GPTConfig, GPTForCausalLM

PAD, END = 0, 1
STYLES: dict[str, dict[str, Any]] = {
    "today": {},
    "gpt2": {"positions": "learned", "norm": "layer", "mlp": "gelu", "bias": True, "qk_norm": False},
    "yarn": {"rope": {"method": "yarn", "factor": 4.0, "original_length": 8}},
}
ATTENTION = ["eager", "sdpa"]

every_style = pytest.mark.parametrize("style", STYLES)
every_attention = pytest.mark.parametrize("attention", ATTENTION)


def tiny(style: str = "today", attention: str = "sdpa", **changes: Any) -> GPTForCausalLM:
    """A model with weights large enough for its attention, its positions and its biases to matter."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    ends = {"pad_token_id": PAD, "eos_token_id": END, "initializer_range": 0.2}
    model = GPTForCausalLM(GPTConfig(**sizes | ends | STYLES[style] | changes, attn_implementation=attention))
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(p, std=0.2)
    return model.eval()


def tokens(*shape: int, seed: int = 1) -> Tensor:
    return torch.randint(2, 40, shape, generator=torch.Generator().manual_seed(seed))


@every_style
@every_attention
def test_no_token_sees_a_later_one(style: str, attention: str) -> None:
    model, ids = tiny(style, attention), tokens(1, 9)
    changed = ids.clone()
    changed[0, 6] = (ids[0, 6] + 1) % 40
    before, after = model(ids).logits, model(changed).logits
    torch.testing.assert_close(before[:, :6], after[:, :6])
    assert not torch.allclose(before[:, 6], after[:, 6])


@every_style
@every_attention
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_real_token(style: str, attention: str, side: str) -> None:
    model, ids = tiny(style, attention), tokens(1, 6)
    padding, real = torch.full((1, 3), PAD), slice(3, None) if side == "left" else slice(6)
    padded = torch.cat((padding, ids) if side == "left" else (ids, padding), 1)
    got = model(padded, attention_mask=(padded != PAD).long()).logits[:, real]
    torch.testing.assert_close(got, model(ids).logits, atol=1e-5, rtol=1e-4)


@every_style
@every_attention
def test_documents_of_a_packed_row_never_see_each_other(style: str, attention: str) -> None:
    model, lengths = tiny(style, attention), [(3, 5, 4), (6, 1, 5)]
    ids = tokens(2, 12)
    positions = torch.stack([torch.cat([torch.arange(n) for n in row]) for row in lengths])  # (2, 12)
    packed = model(ids, position_ids=positions).logits
    alone = [model(part[None]).logits[0] for row, cuts in zip(ids, lengths, strict=True) for part in row.split(cuts)]
    torch.testing.assert_close(packed.flatten(0, 1), torch.cat(alone), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(packed, model(ids).logits, atol=1e-2)


@every_style
def test_plain_attention_is_the_fused_one(style: str) -> None:
    """Padded, packed and from the cache; with one key-value head for all four."""
    plain, fused = (tiny(style, attention, num_key_value_heads=1) for attention in ATTENTION)
    ids, mask, positions = tokens(2, 12), torch.ones(2, 12), torch.arange(12).remainder(5).expand(2, -1)
    mask[0, 9:], mask[1, :4] = 0, 0

    def cached(model: GPTForCausalLM) -> Tensor:
        out = model(ids[:, :7], attention_mask=mask[:, :7], use_cache=True)
        return model(ids[:, 7:], attention_mask=mask, past_key_values=out.past_key_values).logits[mask[:, 7:].bool()]

    asked = [lambda m: m(ids).logits, lambda m: m(ids, attention_mask=mask).logits[mask.bool()], cached]
    for ask in [*asked, lambda m: m(ids, position_ids=positions).logits]:
        torch.testing.assert_close(ask(plain), ask(fused), atol=1e-5, rtol=1e-4)


def test_a_mask_of_ones_takes_the_causal_path() -> None:
    model, ids, seen = tiny(), tokens(2, 6), []
    hook = model.model.layers[0].register_forward_pre_hook(lambda layer, args: seen.append(args[2]))
    model(ids, attention_mask=torch.ones_like(ids))
    model(ids)
    hook.remove()
    assert seen == [None, None]


@every_style
@every_attention
def test_logits_are_the_same_token_by_token_from_the_cache(style: str, attention: str) -> None:
    model, ids = tiny(style, attention), tokens(2, 8)
    whole = model(ids).logits
    out = model(ids[:, :3], use_cache=True)
    parts = [out.logits]
    for new in (ids[:, 3:4], ids[:, 4:7], ids[:, 7:]):
        out = model(new, past_key_values=out.past_key_values, use_cache=True)
        parts.append(out.logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole)
    assert out.past_key_values.get_seq_length() == 8


@every_style
def test_generation_is_the_same_with_the_cache_and_without(style: str) -> None:
    model, ids = tiny(style), tokens(2, 5)
    ask = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": None, "attention_mask": torch.ones_like(ids)}
    cached, plain = model.generate(ids, **ask), model.generate(ids, use_cache=False, **ask)
    assert cached.shape == (2, 17)
    assert cached.tolist() == plain.tolist()


@every_style
@every_attention
def test_a_left_padded_batch_generates_what_each_prompt_does_alone(style: str, attention: str) -> None:
    model, prompts = tiny(style, attention), [tokens(1, n, seed=n) for n in (3, 5, 9)]
    ask = {"max_new_tokens": 10, "do_sample": False, "eos_token_id": None}
    alone = [model.generate(p, attention_mask=torch.ones_like(p), **ask)[0, p.shape[1] :] for p in prompts]
    batch = torch.cat([torch.nn.functional.pad(p, (9 - p.shape[1], 0), value=PAD) for p in prompts])
    together = model.generate(batch, attention_mask=(batch != PAD).long(), **ask)[:, 9:]
    assert together.tolist() == [a.tolist() for a in alone]


def test_generation_stops_at_the_end_token() -> None:
    model, ids = tiny(), tokens(1, 4)
    free = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, eos_token_id=None)[0, 4:]
    model.generation_config.eos_token_id = int(free[2])
    stopped = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8)[0, 4:]
    assert stopped.tolist() == free[: free.tolist().index(int(free[2])) + 1].tolist()


@every_style
@pytest.mark.parametrize("tied", [True, False])
def test_a_saved_model_comes_back_exactly_through_the_auto_classes(style: str, tied: bool, tmp_path: Path) -> None:
    model, ids = tiny(style, num_key_value_heads=1, tie_word_embeddings=tied), tokens(2, 6)
    model.save_pretrained(tmp_path)
    back = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert isinstance(back, GPTForCausalLM)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), GPTConfig)
    assert back.config.to_diff_dict() == model.config.to_diff_dict()
    assert (back.lm_head.weight is back.model.embed_tokens.weight) == tied
    assert torch.equal(back(ids).logits, model(ids).logits)
    back.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again/model.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


def test_the_loss_is_that_of_the_next_tokens_with_labels() -> None:
    model, ids = tiny(), tokens(2, 6)
    labels = ids.clone()
    labels[:, :3] = -100
    out = model(ids, labels=labels)
    by_hand = torch.nn.functional.cross_entropy(out.logits[:, 2:-1].flatten(0, 1), ids[:, 3:].flatten())
    torch.testing.assert_close(out.loss, by_hand)


def test_the_last_logits_alone_and_the_hidden_states_can_be_had() -> None:
    model, ids = tiny(), tokens(2, 6)
    whole, last = model(ids, output_hidden_states=True), model(ids, logits_to_keep=1)
    torch.testing.assert_close(last.logits, whole.logits[:, -1:])
    assert len(whole.hidden_states) == 3
    torch.testing.assert_close(model.lm_head(whole.hidden_states[-1]), whole.logits)
    torch.testing.assert_close(model(inputs_embeds=whole.hidden_states[0]).logits, whole.logits)
    assert last.hidden_states is None
    assert last.past_key_values is None


@every_style
def test_gradient_checkpointing_gives_the_same_gradients(style: str) -> None:
    ids = tokens(2, 6)

    def gradients(model: GPTForCausalLM) -> dict[str, Tensor]:
        torch.manual_seed(2)  # of dropout, which the second computation has to repeat
        model.train()
        model(ids, labels=ids).loss.backward()
        return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}

    plain, checkpointed = tiny(style, dropout=0.2), tiny(style, dropout=0.2)
    checkpointed.activation_checkpointing_enable({"use_reentrant": False})
    assert all(layer.gradient_checkpointing for layer in checkpointed.model.layers)
    want, got = gradients(plain), gradients(checkpointed)
    assert want.keys() == got.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name])


def test_the_decoder_stack_is_one_list_of_layers_with_an_mlp() -> None:
    layers = tiny().model.layers
    assert all(isinstance(layer, GradientCheckpointingLayer) and layer.mlp for layer in layers)


def test_dropout_is_of_training_alone() -> None:
    model, ids = tiny(dropout=0.3), tokens(2, 6)
    torch.testing.assert_close(model(ids).logits, tiny()(ids).logits, atol=0, rtol=0)
    model.train()
    assert not torch.allclose(model(ids).logits, model(ids).logits)


def test_writers_start_smaller_the_deeper_the_model() -> None:
    wide = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 8}
    for deep, shrunk in ((False, 1.0), (True, 4.0)):
        block = tiny("gpt2", depth_init=deep, **wide).model.layers[3]
        for writer in (block.self_attn.o_proj, block.mlp.down_proj):
            assert writer.weight.std().item() == pytest.approx(0.2 / shrunk, rel=0.05)
        assert block.mlp.up_proj.weight.std().item() == pytest.approx(0.2, rel=0.05)


def test_learned_positions_end_where_the_table_does() -> None:
    model = tiny("gpt2", max_position_embeddings=8)
    assert model(tokens(1, 8)).logits.shape == (1, 8, 40)
    with pytest.raises(DataError, match="rows of 9 tokens are longer than the 8 positions"):
        model(tokens(1, 9))
    packed = model(tokens(1, 12), position_ids=torch.arange(12).remainder(6)[None]).logits
    torch.testing.assert_close(packed[:, :6], model(tokens(1, 12)[:, :6]).logits)
    cache = model(tokens(1, 8), use_cache=True).past_key_values
    with pytest.raises(DataError, match="9 tokens"):
        model(tokens(1, 1), past_key_values=cache)


def test_a_trained_model_is_opened_for_longer_texts(tmp_path: Path) -> None:
    tiny(max_position_embeddings=16).save_pretrained(tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    rope = {"method": "dynamic_ntk", "factor": 4.0, "original_length": 16}
    longer = AutoModelForCausalLM.from_pretrained(tmp_path, max_position_embeddings=64, rope=rope)
    short, long = tokens(1, 16), tokens(1, 60)
    assert torch.equal(longer(short).logits, plain(short).logits)
    assert not torch.allclose(longer(long).logits, plain(long).logits, atol=1e-2)
    with pytest.raises(ConfigError, match=r"rope\.methd: no such key, did you mean 'method'"):
        AutoModelForCausalLM.from_pretrained(tmp_path, rope={"methd": "yarn"})


def test_a_model_saved_before_there_were_choices_is_read_as_it_was() -> None:
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "rope_theta", "rms_norm_eps")
    old = {key: value for key, value in tiny().config.to_dict().items() if key in kept}
    assert GPTConfig.from_dict(old).rotary == tiny().config.rotary
    assert str(GPTForCausalLM(GPTConfig.from_dict(old))) == str(tiny())


def test_gates_hang_on_gpt2s_parts_too_and_change_no_bit() -> None:
    model, ids = tiny("gpt2"), tokens(2, 6)
    bare = model(ids).logits
    attach(model, {n: SurpriseGate(32, rank=4, n_surprise=N_SURPRISE) for n in range(2)})
    assert torch.equal(model(ids).logits, bare)
    assert len(attached(model)) == 2


@pytest.mark.parametrize("style", ["today", "gpt2"])
def test_lora_fits_llamas_names_and_merges_to_the_same_logits(style: str) -> None:
    from peft import LoraConfig, get_peft_model

    names = ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", *["gate_proj"] * (style == "today")]
    ids = tokens(2, 6)
    by_name = get_peft_model(
        tiny(style), LoraConfig(task_type="CAUSAL_LM", target_modules=names, init_lora_weights=False)
    )
    by_kind = get_peft_model(tiny(style), LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"))
    assert by_name.targeted_module_names == by_kind.targeted_module_names
    assert len(by_name.targeted_module_names) == 2 * len(names)
    by_name.eval()
    tuned = by_name(input_ids=ids).logits
    assert not torch.allclose(tuned, tiny(style)(ids).logits)
    torch.testing.assert_close(by_name.merge_and_unload()(ids).logits, tuned, atol=1e-4, rtol=1e-4)
