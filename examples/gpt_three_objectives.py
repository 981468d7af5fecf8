"""Train one small GPT by the same loop three times over: to read, to reply, to prefer. gpt_three_objectives.py OUT"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from sluicegate.data.world import World
from sluicegate.models.encode import Encoder
from sluicegate.models.gpt_shape import GPTShape
from sluicegate.models.token_file import token_file
from sluicegate.models.tokenizer import document_text, train_bpe
from sluicegate.training.preference.rows import EncodedPair
from sluicegate.training.scratch.conversations import Conversations
from sluicegate.training.scratch.objectives import dpo, language_model, masked_sft
from sluicegate.training.scratch.packed import PackedDocuments
from sluicegate.training.scratch.pairs import PreferencePairs
from sluicegate.training.scratch.pretrain import train
from sluicegate.training.scratch.schedule import Schedule

out = Path(sys.argv[1])
chats = World(World.Config()).clean(200, 0)
tokenizer = train_bpe((m["content"] for row in chats for m in row["messages"]), 400)
model = GPTShape(layers=2, width=32).model(len(tokenizer), tokenizer.pad_token_id, tokenizer.eos_token_id)

texts = [("world", document_text(tokenizer, row["messages"])) for row in chats]
tokens = token_file(out, tokenizer, "chats", lambda: texts)
mixed_up = [{**row, "messages": [*row["messages"][:-1], other["messages"][-1]]} for row, other in pairwise(chats)]
rows, worse = map(Encoder(tokenizer).encode_batch, (chats[:-1], mixed_up))  # worse: another question's reply
pairs = list(map(EncodedPair, rows, worse))
plan = Schedule(steps=40, batch_rows=8, row_tokens=64, learning_rate=4e-3, warmup_steps=4, optimizer="adamw")
kinder = plan.model_copy(update={"learning_rate": 4e-4})
read = train(model, language_model, PackedDocuments(tokens, np.arange(len(tokens)), plan), plan, out / "read")
reply = train(model, masked_sft, Conversations(rows, tokenizer.pad_token_id, 8), plan, out / "reply")
prefer = train(model, dpo, PreferencePairs(pairs, tokenizer.pad_token_id, 8, model), kinder, out / "prefer")
for name, course in {"read": read, "reply": reply, "prefer": prefer}.items():
    print(f"{name:8s} {course.losses[:5].mean():.3f} -> {course.losses[-5:].mean():.3f}")
