"""What scoring is measured on: rows of GSM8K, or made-up rows as long as those, a small Qwen3, and a gate of it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from worlds import parser

Row: TypeAlias = tuple[str, str]
"""A question and its answer."""
FILE = "math/gsm8k_train.jsonl"
PIECES = {"question": (3.94, 0.36), "answer": (4.71, 0.42)}
"""Mean and deviation of the logarithm of the number of words, digits and signs, as counted in `FILE`."""
TRUSTED = 100
"""Rows a gate is warmed up with: its scores are good for nothing but to be compared."""
SYLLABLES = ["ba", "den", "fi", "gor", "ka", "lim", "mo", "nes", "pu", "ran", "sil", "to", "ve", "wan", "yo", "zet"]


def arguments(doc: str | None) -> Any:
    """`--quick`, and `--data` for the folder GSM8K stands in."""
    found = parser(doc)
    found.add_argument("--data", type=Path, default=Path("../shared/data"), help=f"folder with {FILE}, where there is")
    return found.parse_args()


def draw(n: int, folder: Path) -> tuple[list[Row], str]:
    """The first `n` rows of GSM8K's training part where it stands in `folder`, else made-up ones; and which it was."""
    path = folder / FILE
    if not path.is_file():
        return made_up(n), "made up, as long as those of GSM8K"
    with path.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in islice(lines, n)]
    return [(row["question"], row["answer"]) for row in found], "GSM8K"


def made_up(n: int, share: float = 1.0) -> list[Row]:
    """Rows with the lengths of GSM8K's, or a `share` of them; one seed, so the first rows of more are the same."""
    rng = random.Random(0)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) for _ in range(2000)] + [str(i) for i in range(100)]

    def text(part: str, number: int) -> str:
        length = max(2, round(share * rng.lognormvariate(*PIECES[part])))
        return " ".join([*rng.choices(words, k=length - 1), str(number)])

    return [(text("question", i), text("answer", i)) for i in range(n)]


def messages(row: Row) -> list[dict[str, str]]:
    """A row as a conversation."""
    return [{"role": role, "content": text} for role, text in zip(("user", "assistant"), row, strict=True)]


def write_pool(path: Path, rows: Sequence[Row]) -> Path:
    """Rows as a file that `prepare` reads."""
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps({"messages": messages(row)}) + "\n" for row in rows)
    return path


def save_qwen3(folder: Path, rows: Sequence[Row], hidden: int, layers: int, vocab: int) -> Path:
    """A Qwen3 of random weights, with a tokenizer trained on the rows, saved as `save_pretrained` does."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM
    from transformers.utils.logging import disable_progress_bar

    from sluicegate.models.tokenizer import train_bpe

    disable_progress_bar()
    tokenizer = train_bpe((text for row in rows for text in row), vocab)
    sizes = {"hidden_size": hidden, "intermediate_size": 3 * hidden, "num_hidden_layers": layers}
    heads = {"num_attention_heads": hidden // 32, "num_key_value_heads": hidden // 64, "head_dim": 32}
    ends = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    torch.manual_seed(0)
    config = Qwen3Config(vocab_size=vocab, **sizes, **heads, **ends, tie_word_embeddings=True)
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def prepare(folder: Path, pools: Mapping[str, Sequence[Row]], sizes: Mapping[str, int], tuned: bool = False) -> Path:
    """Pools, a base of the `sizes` of `save_qwen3`, and its `gate`, which reads a tuned copy or the base itself.

    Returns the folder of the run that made them, in which each stands under its name.
    """
    from sluicegate.pipeline import run

    folder.mkdir(parents=True, exist_ok=True)
    rows = max(pools.values(), key=len)
    base, trusted = save_qwen3(folder / "base", rows[:2000], **sizes), write_pool(folder / "t.jsonl", rows[:TRUSTED])
    tuning = {"method": "full", "steps": 5} if tuned else {"method": "off"}
    short = {"reference": tuning, "context_gain": False, "copies": 1, "epochs": 1}
    steps: dict[str, Any] = {"gate": {"stage": "warmup", "model": str(base), "trusted": str(trusted), **short}}
    for name, pool in pools.items():
        file = write_pool(folder / f"{name}.jsonl", pool)
        steps[name] = {"stage": "prepare", "sources": [str(file)]}
    run({"vars": {}, "steps": steps}, folder / "run")
    return folder / "run"
