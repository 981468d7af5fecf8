from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_layers import GradientCheckpointingLayer

from sluicegate.models.gpt import Attention, GPTConfig, GPTForCausalLM, rotate, rotation

PAD, END = 0, 1


def tiny(**shape: int) -> GPTForCausalLM:
    """A model with weights large enough for its attention to matter."""
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, **shape)
    config.pad_token_id, config.eos_token_id, config.initializer_range = PAD, END, 0.2
    return GPTForCausalLM(config).eval()


def tokens(*shape: int, seed: int = 1) -> Tensor:
    return torch.randint(2, 40, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_attention_is_the_plainly_written_one(kv_heads: int) -> None:
    config = tiny(num_key_value_heads=kv_heads).config
    attention = Attention(config, layer=0).eval()
    x, turn = torch.randn(2, 7, 32), rotation(torch.arange(7)[None], config)

    def heads(proj: torch.nn.Linear) -> Tensor:
        return proj(x).view(2, 7, -1, 8)

    def unit(heads: Tensor) -> Tensor:
        return heads / heads.square().mean(-1, keepdim=True).sqrt()

    q, k = (rotate(unit(heads(proj)), *turn) for proj in (attention.q_proj, attention.k_proj))
    k, v = (h.repeat_interleave(4 // kv_heads, dim=2) for h in (k, heads(attention.v_proj)))
    weights = torch.einsum("bthd,bshd->bhts", q, k) / math.sqrt(8)
    weights = weights.masked_fill(torch.ones(7, 7).triu(1).bool(), -math.inf).softmax(-1)
    plain = attention.o_proj(torch.einsum("bhts,bshd->bthd", weights, v).flatten(2))
    torch.testing.assert_close(attention(x, turn, None, None), plain)
    assert attention.k_proj.weight.shape == (8 * kv_heads, 32)


def test_rotation_keeps_lengths_and_sees_only_distances() -> None:
    config, q, k = tiny().config, torch.randn(1, 1, 4, 8), torch.randn(1, 1, 4, 8)

    def at(x: Tensor, position: int) -> Tensor:
        return rotate(x, *rotation(torch.tensor([[position]]), config))

    torch.testing.assert_close(at(q, 9).norm(dim=-1), q.norm(dim=-1))
    torch.testing.assert_close((at(q, 9) * at(k, 4)).sum(-1), (at(q, 25) * at(k, 20)).sum(-1))
    assert not torch.allclose((at(q, 9) * at(k, 4)).sum(-1), (at(q, 9) * at(k, 5)).sum(-1))


def test_no_token_sees_a_later_one() -> None:
    model, ids = tiny(), tokens(1, 9)
    changed = ids.clone()
    changed[0, 6] = (ids[0, 6] + 1) % 40
    before, after = model(ids).logits, model(changed).logits
    torch.testing.assert_close(before[:, :6], after[:, :6])
    assert not torch.allclose(before[:, 6], after[:, 6])


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_real_token(side: str) -> None:
    model, ids = tiny(), tokens(1, 6)
    padding, real = torch.full((1, 3), PAD), slice(3, None) if side == "left" else slice(6)
    padded = torch.cat((padding, ids) if side == "left" else (ids, padding), 1)
    got = model(padded, attention_mask=(padded != PAD).long()).logits[:, real]
    torch.testing.assert_close(got, model(ids).logits, atol=1e-5, rtol=1e-4)


def test_a_mask_of_ones_takes_the_causal_path() -> None:
    model, ids, seen = tiny(), tokens(2, 6), []
    hook = model.model.layers[0].register_forward_pre_hook(lambda layer, args: seen.append(args[2]))
    model(ids, attention_mask=torch.ones_like(ids))
    model(ids)
    hook.remove()
    assert seen == [None, None]


def test_logits_are_the_same_token_by_token_from_the_cache() -> None:
    model, ids = tiny(), tokens(2, 8)
    whole = model(ids).logits
    out = model(ids[:, :3], use_cache=True)
    parts = [out.logits]
    for new in (ids[:, 3:4], ids[:, 4:7], ids[:, 7:]):
        out = model(new, past_key_values=out.past_key_values, use_cache=True)
        parts.append(out.logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole)
    assert out.past_key_values.get_seq_length() == 8


def test_generation_is_the_same_with_the_cache_and_without() -> None:
    model, ids = tiny(), tokens(2, 5)
    ask = {"max_new_tokens": 12, "do_sample": False, "eos_token_id": None, "attention_mask": torch.ones_like(ids)}
    cached, plain = model.generate(ids, **ask), model.generate(ids, use_cache=False, **ask)
    assert cached.shape == (2, 17)
    assert cached.tolist() == plain.tolist()


def test_a_left_padded_batch_generates_what_each_prompt_does_alone() -> None:
    model, prompts = tiny(), [tokens(1, n, seed=n) for n in (3, 5, 9)]
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


def test_a_saved_model_comes_back_exactly_through_the_auto_classes(tmp_path: Path) -> None:
    model, ids = tiny(num_key_value_heads=1), tokens(2, 6)
    model.save_pretrained(tmp_path)
    back = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert isinstance(back, GPTForCausalLM)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), GPTConfig)
    assert back.config.to_diff_dict() == model.config.to_diff_dict()
    assert back.lm_head.weight is back.model.embed_tokens.weight
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


def test_gradient_checkpointing_gives_the_same_gradients() -> None:
    ids = tokens(2, 6)

    def gradients(model: GPTForCausalLM) -> dict[str, Tensor]:
        model.train()
        model(ids, labels=ids).loss.backward()
        return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}

    plain, checkpointed = tiny(), tiny()
    checkpointed.activation_checkpointing_enable({"use_reentrant": False})
    assert all(layer.gradient_checkpointing for layer in checkpointed.model.layers)
    want, got = gradients(plain), gradients(checkpointed)
    assert want.keys() == got.keys()
    for name in want:
        torch.testing.assert_close(got[name], want[name])


def test_the_decoder_stack_is_one_list_of_layers_with_an_mlp() -> None:
    layers = tiny().model.layers
    assert all(isinstance(layer, GradientCheckpointingLayer) and layer.mlp for layer in layers)


def test_lora_fits_llamas_names_and_merges_to_the_same_logits() -> None:
    from peft import LoraConfig, get_peft_model

    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    ids = tokens(2, 6)
    by_name = get_peft_model(tiny(), LoraConfig(task_type="CAUSAL_LM", target_modules=names, init_lora_weights=False))
    by_kind = get_peft_model(tiny(), LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear"))
    assert by_name.targeted_module_names == by_kind.targeted_module_names
    assert len(by_name.targeted_module_names) == 2 * len(names)
    by_name.eval()
    tuned = by_name(input_ids=ids).logits
    assert not torch.allclose(tuned, tiny()(ids).logits)
    torch.testing.assert_close(by_name.merge_and_unload()(ids).logits, tuned, atol=1e-4, rtol=1e-4)
