"""Fine-tuning against a bare script with trl's SFTTrainer, and against rows padded to 512, as is often done.

All sides train the same small Qwen3 on the same rows of GSM8K, for one epoch in batches of 16, in full and in float32,
each time in a fresh process of one thread; the sides take turns, and the median of the rounds counts. Speed is that of
the training itself, in tokens that are no padding. Start-up is all before the first step: packages, model, rows and
their tokens; trl's own import is taken off it. Seconds are the processor's, so others on the machine do not count.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from figure import figure
from gsm8k import Row, arguments, draw, messages, save_qwen3
from scoring_memory import fresh, in_gb, peak

SPEED, PADDED, START_UP = 1.0, 1.8, 2.0
"""The bars: times trl's tokens per second, times those of padding to 512, seconds beyond trl's import."""
WIDTH, ROUNDS = 512, 3
FULL = {"rows": 240, "hidden": 128, "layers": 4, "vocab": 4096}
QUICK = {"rows": 64, "hidden": 64, "layers": 2, "vocab": 1024}
BATCH = {"max_length": WIDTH, "learning_rate": 1e-3, "seed": 0}
ROWS = 16
"""Of a step."""


def main() -> None:
    """Let the sides take turns, and tell their medians."""
    args = arguments(__doc__)
    size = argparse.Namespace(**(QUICK if args.quick else FULL))
    texts, which = draw(size.rows, args.data)
    with tempfile.TemporaryDirectory() as folder:
        base = save_qwen3(Path(folder) / "base", texts, size.hidden, size.layers, size.vocab)
        found: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for side in [*SIDES] * (1 if args.quick else ROUNDS):
            found[side].append(fresh(measured, side, base, texts, Path(folder)))
            print(side, found[side][-1], flush=True)
    told = {side: medians(runs) for side, runs in found.items()}
    report(told, {"rows": which, "n_rows": size.rows, "model": f"Qwen3, {size.layers} layers of {size.hidden}"})


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each number."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def report(told: Mapping[str, Mapping[str, float]], more: dict[str, Any]) -> None:
    """One line for all bars: speed is the figure."""
    ours, trl, padded = (told[side] for side in ("ours", "trl", "padded"))
    start_up = ours["start_up"] - imported()
    held = {
        "trl": ours["speed"] >= SPEED * trl["speed"],
        "padded": ours["speed"] >= PADDED * padded["speed"],
        "start_up": start_up < START_UP,
        "memory": ours["memory"] <= trl["memory"],
    }
    bar = f">= {SPEED:g}x trl; >= {PADDED:g}x padding to {WIDTH}; start-up < {START_UP:g} s beyond trl's import; "
    bar += "memory no higher"
    more |= {"over_padded": ours["speed"] / padded["speed"], "start_up_s": start_up, "held": held}
    more |= {
        "sides": {side: {name: float(f"{value:.4g}") for name, value in one.items()} for side, one in told.items()}
    }
    figure("sft_vs_trl", ours["speed"], trl["speed"], "tokens/s", bar, all(held.values()), **more)


def imported() -> float:
    """Seconds a process takes that does nothing but import trl's trainer."""
    script = "import time; from trl import SFTConfig, SFTTrainer; print(time.process_time())"
    command = [sys.executable, "-c", script]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(ROUNDS)]
    return statistics.median(float(run.stdout.split()[-1]) for run in runs)


# A side, in a process of its own


def measured(side: str, base: Path, texts: Sequence[Row], out: Path) -> dict[str, float]:
    """Tokens per second, seconds before the first step, GB at the peak, and the last loss of a side."""
    import torch
    from transformers import Trainer

    torch.set_num_threads(1)
    step, first = Trainer.training_step, list[float]()

    def stepped(*args: Any, **kwargs: Any) -> Any:
        first.append(time.process_time())
        return step(*args, **kwargs)

    Trainer.training_step = stepped
    tokens, loss = SIDES[side](base, texts, out)
    seconds = time.process_time() - first[0]
    return {"speed": tokens / seconds, "start_up": first[0], "memory": in_gb(peak()), "loss": loss}


def ours(base: Path, texts: Sequence[Row], out: Path, **more: Any) -> tuple[int, float]:
    """As the stage does it: tokens trained on, and the loss at the end."""
    from sluicegate.schema import make_record
    from sluicegate.training.opening import open_model
    from sluicegate.training.sft import tune
    from sluicegate.training.sft_config import SftConfig

    config = SftConfig(method="full", epochs=1, total_batch=ROWS, **BATCH, **more)
    loaded = open_model(base, config)
    rows = loaded.encoder(WIDTH).encode_batch([make_record(messages(row), "gsm8k", "en") for row in texts])
    made = tune(loaded, rows, config, out)
    return sum(len(row.ids) for row in rows), made.loss


def packed(base: Path, texts: Sequence[Row], out: Path) -> tuple[int, float]:
    """The same with rows end to end."""
    return ours(base, texts, out, packing=True)


def trl(base: Path, texts: Sequence[Row], out: Path) -> tuple[int, float]:
    """A bare script."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = Dataset.from_list([{"prompt": f"User:\n{q}\n\nAssistant:\n", "completion": a} for q, a in texts])
    arguments = SFTConfig(
        output_dir=str(out),
        num_train_epochs=1,
        per_device_train_batch_size=ROWS,
        warmup_steps=round(0.05 * len(texts) / ROWS),
        weight_decay=0.01,
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        save_strategy="no",
        report_to="none",
        **BATCH,
    )
    trainer = SFTTrainer(model=str(base), args=arguments, train_dataset=rows)
    loss = trainer.train().training_loss
    return sum(map(len, trainer.train_dataset["input_ids"])), loss


def padded(base: Path, texts: Sequence[Row], out: Path) -> tuple[int, float]:
    """The transformers Trainer over rows that are all padded to 512."""
    import torch
    from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

    from sluicegate.models.encode import Encoder, collate
    from sluicegate.models.load import load_tokenizer
    from sluicegate.schema import make_record

    tokenizer = load_tokenizer(base)
    rows = Encoder(tokenizer, WIDTH).encode_batch([make_record(messages(row), "gsm8k", "en") for row in texts])
    fill = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "labels": -100}

    def wide(batch: Sequence[Any]) -> dict[str, torch.Tensor]:
        tensors = collate(batch, fill["input_ids"])
        room = (0, WIDTH - tensors["labels"].shape[1])
        return {name: torch.nn.functional.pad(values, room, value=fill[name]) for name, values in tensors.items()}

    arguments = TrainingArguments(
        output_dir=str(out),
        num_train_epochs=1,
        per_device_train_batch_size=ROWS,
        remove_unused_columns=False,
        use_cpu=True,
        learning_rate=BATCH["learning_rate"],
        save_strategy="no",
        report_to="none",
    )
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    loss = Trainer(model, arguments, wide, rows).train().training_loss
    return sum(len(row.ids) for row in rows), loss


SIDES: dict[str, Callable[..., tuple[int, float]]] = {"ours": ours, "trl": trl, "padded": padded, "packed": packed}

if __name__ == "__main__":
    main()
