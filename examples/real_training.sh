#!/usr/bin/env bash
# Real rows through every way of training, on a CPU: real_training.sh DATA RUNS. What it printed: docs/training_real.md
set -euo pipefail
runs=$2 math="$1/math/gsm8k_train.jsonl,$1/math/math_train.jsonl"
prefer="$1/preference/oasst_zh_pairs.json,$1/preference/hh_rlhf_harmless_base_test.jsonl.gz"
train="split={part: train, valid_share: 0.1}" dev="split={part: valid, valid_share: 0.1}"

# A model to begin with: a tokenizer and a GPT, on mathematics in English and conversations in Chinese.
sluice prepare "sources=[$math,$1/instruct/sharegpt_zh_1k.jsonl]" "$train" "sample={rows: 3000, shares: equal}" out="$runs/text"
sluice pretrain data="$runs/text/prepare" "model={layers: 2, width: 64, heads: 2, kv_heads: 1, context: 512}" \
    vocab_size=1024 steps=300 batch_rows=8 row_tokens=256 warmup_steps=20 log_every=50 out="$runs/real"

# Rows and pairs that it can read to their end, and others that it never sees.
fits="clean={tokens: {max: 480, tokenizer: $runs/real/pretrain}}"
sluice prepare "sources=[$math]" "$train" "$fits" "sample={rows: 2000}" out="$runs/rows"
sluice prepare "sources=[$math]" "$dev" "$fits" "sample={rows: 100}" out="$runs/rows_dev"
sluice prepare make=pairs "sources=[$prefer]" "$train" "$fits" out="$runs/pairs"
sluice prepare make=pairs "sources=[$prefer]" "$dev" "$fits" "sample={rows: 100, by: lang, shares: equal}" out="$runs/pairs_dev"

short=(max_steps=60 total_batch=8 max_length=512 log.every=5 "watch={every: 15, rows: 50, prompts: 1, max_new_tokens: 32}")
rows=(data="$runs/rows/prepare" held_out="$runs/rows_dev/prepare" "${short[@]}")
pairs=(data="$runs/pairs/prepare" held_out="$runs/pairs_dev/prepare" sampler.share.zh=0.7 "${short[@]}")

# A LoRA, shot in the middle and started again, and the same without a pause.
lora=(sluice sft model="$runs/real/pretrain" "${rows[@]}" method=lora learning_rate=5e-3 checkpoints.every=10)
"${lora[@]}" out="$runs/real" & shot=$!
while kill -0 $shot && ! grep -q "step 30, held out" "$runs/real/log/rank0.log"; do sleep 0.1; done
kill -KILL $shot && wait $shot || true
"${lora[@]}" out="$runs/real"
sha256sum "$runs/real/sft/adapter_model.safetensors"
"${lora[@]}" out="$runs/straight"
sha256sum "$runs/straight/sft/adapter_model.safetensors"

# A LoRA beside a base in 4 bits, and all weights; then preferences, the second time in two processes.
sluice sft model=pretrain "${rows[@]}" method=qlora learning_rate=5e-3 out="$runs/real"
sluice sft model=pretrain "${rows[@]}" method=full learning_rate=1e-3 out="$runs/real"
sluice dpo model=sft "${pairs[@]}" length_penalty=0.02 learning_rate=3e-4 out="$runs/real"
torchrun --nproc-per-node 2 -m sluicegate orpo model=sft "${pairs[@]}" learning_rate=1e-3 out="$runs/real"

# What came of it.
sluice export model=dpo out="$runs/real"
sluice generate dpo "Tom has 3 pens and buys 4 more. How many pens does he have?" max_new_tokens=40 --out "$runs/real"
printf '%s\n' "How many legs do two dogs have?" /exit | sluice chat dpo max_new_tokens=30 --out "$runs/real"
sluice evaluate model=sft data="$1/math/gsm8k_test.jsonl" task=gsm8k max_rows=50 max_new_tokens=64 out="$runs/real"
