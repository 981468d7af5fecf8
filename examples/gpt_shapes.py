"""Two texts on their way through a small GPT, from letters to a loss, with the shape of every step: gpt_shapes.py"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from sluicegate.models.gpt_attention import plain_attention
from sluicegate.models.gpt_shape import GPTShape
from sluicegate.models.rope import rotate, rotation
from sluicegate.models.tokenizer import train_bpe

TEXTS = ["Ann has 3 pens. Bo has 4 pens.<end>", "Bo has 9 pens. Ann has 0 pens.<end>"]


def show(what: str, x: torch.Tensor) -> torch.Tensor:
    print(f"{what:<52}{tuple(x.shape)}")
    return x


torch.manual_seed(0)
tokenizer = train_bpe(TEXTS, vocab_size=300)
model = GPTShape(layers=3, width=96, heads=4, kv_heads=2).model(len(tokenizer)).eval()
decoder, layer, part = model.model, model.model.layers[0], model.model.layers[0].self_attn
print(" ".join(tokenizer.tokenize(TEXTS[0])))
ids = show("token ids: rows, tokens", tokenizer(TEXTS, return_tensors="pt")["input_ids"])
x = show("embedded: rows, tokens, channels", decoder.embed_tokens(ids))
turn = rotation(torch.arange(11)[None], model.config.rotary, dim=24, trained=256)
mask = show("mask: 1, 1, tokens, tokens seen", torch.full((1, 1, 11, 11), torch.finfo().min).triu(1))
q, k, v = (w(layer.input_layernorm(x)).unflatten(2, (-1, 24)) for w in (part.q_proj, part.k_proj, part.v_proj))
q = show("queries: rows, tokens, query heads, head channels", rotate(part.q_norm(q), *turn)).transpose(1, 2)
k = show("keys: rows, tokens, key-value heads, head channels", rotate(part.k_norm(k), *turn)).transpose(1, 2)
y = show("mixed values: rows, query heads, tokens, ...", plain_attention(q, k, v.transpose(1, 2), mask, dropout=0.0))
x = show("added to the residual stream", x + part.o_proj(y.transpose(1, 2).flatten(2)))
x = show("and what the feed-forward layer made of it", x + layer.mlp(layer.post_attention_layernorm(x)))
for layer in decoder.layers[1:]:
    x = layer(x, turn, mask)
logits = show("logits: rows, tokens, vocabulary", model.lm_head(decoder.norm(x)))
loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
print(f"loss {loss:.2f}; the model itself says {model(ids, labels=ids).loss:.2f}")
