"""Loss against position of a GPT trained at 256 tokens and read at 1024, under each method of rotary positions.

The texts are problems and solutions of GSM8K and MATH end to end, those read MATH's test part. `cut` is the reading no
method is needed for: the same rows in four pieces, none of which sees another. Without --quick it draws
docs/rope_extrapolation.svg.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from figure import figure
from gsm8k import made_up
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar
from worlds import parser

from sluicegate.data.readers import read
from sluicegate.models.gpt import GPTForCausalLM
from sluicegate.models.gpt_shape import GPTShape
from sluicegate.models.tokenizer import train_bpe

TRAINED, READ = 256, 1024
LONGER = {"factor": READ / TRAINED, "original_length": TRAINED}
ROPES: dict[str, dict[str, Any]] = {
    "none": {},
    "linear": {"method": "linear", **LONGER},
    "ntk": {"method": "ntk", **LONGER},
    "dynamic_ntk": {"method": "dynamic_ntk", **LONGER},
    "yarn": {"method": "yarn", **LONGER},
}
THREADS, BATCH, RATE, WARMUP = 2, 8, 4e-3, 100
FULL = {"steps": 2000, "rows": 200, "shape": {"layers": 3, "width": 96, "vocabulary": 1024}}
QUICK = {"steps": 30, "rows": 16, "shape": {"layers": 2, "width": 64, "vocabulary": 512}}
WINDOW = 32
"""Positions whose losses are one point of the picture."""
FILES = {"math/gsm8k_train.jsonl": ("question", "answer"), "math/math_train.jsonl": ("problem", "solution")}
HELD_OUT = {"math/math_test.jsonl": ("problem", "solution")}
COLOURS = {
    "none": "#c8553d", "linear": "#8b95a1", "ntk": "#5aa469", "dynamic_ntk": "#8e6bbf", "yarn": "#3b82c4",
    "cut": "#d99a1c",
}  # fmt: skip
PICTURE = Path(__file__).parents[1] / "docs" / "rope_extrapolation.svg"


def main() -> None:
    """Train once, read under each method, print the table, draw the picture."""
    args = arguments()
    size = QUICK if args.quick else FULL
    torch.set_num_threads(THREADS)
    disable_progress_bar()
    learnt, held_out, which = texts(args.data)
    with tempfile.TemporaryDirectory() as folder:
        rows = trained(Path(folder), learnt, held_out, size)
        models = {name: opened(folder, rope) for name, rope in ROPES.items()}
    losses = {name: by_position(model, rows) for name, model in models.items()}
    losses["cut"] = by_position(models["none"], rows, pieces=READ // TRAINED)
    short = {name: by_position(model, rows[:, : TRAINED + 1]).mean().item() for name, model in models.items()}
    print(table(losses, short | {"cut": short["none"]}))
    if not args.quick:
        draw(losses)
    last = {name: round(loss[-TRAINED:].mean().item(), 4) for name, loss in losses.items()}
    bar = f"yarn the lowest of the methods at {READ - TRAINED}-{READ}; cut is no method"
    holds = all(last["yarn"] < last[name] for name in ROPES if name != "yarn")
    told = {"rows": which, "n_rows": len(rows), "parameters": models["none"].num_parameters(), **last}
    figure("rope_extrapolation", last["yarn"], last["none"], "nats a token", bar, holds, **told)


def arguments() -> Any:
    """`--quick`, and `--data` for the folder with the problems."""
    found = parser(__doc__)
    found.add_argument("--data", type=Path, default=Path("../shared/data"), help=f"folder with {', '.join(FILES)}")
    return found.parse_args()


def texts(folder: Path) -> tuple[list[str], list[str], str]:
    """What is learnt, what is read, and where both come from."""
    if not all((folder / file).is_file() for file in FILES | HELD_OUT):
        made = ["\n".join(row) for row in made_up(6000)]
        return made[:-1500], made[-1500:], "made up, as long as those of GSM8K"
    learnt, held_out = (
        ["\n".join(str(row.value[key]) for key in keys) for file, keys in part.items() for row in read(folder / file)]
        for part in (FILES, HELD_OUT)
    )
    return learnt, held_out, "GSM8K and MATH"


def trained(folder: Path, learnt: Sequence[str], held_out: Sequence[str], size: dict[str, Any]) -> Tensor:
    """Save a model trained at 256 tokens; the rows it is read on (N, 1025)."""
    shape = dict(size["shape"])
    tokenizer = train_bpe(learnt, shape.pop("vocabulary"))

    def packed(documents: Sequence[str], width: int) -> Tensor:
        ids = [i for row in tokenizer([f"{text}<end>" for text in documents])["input_ids"] for i in row]
        return torch.tensor(ids[: len(ids) // width * width]).view(-1, width)

    torch.manual_seed(0)
    model = GPTShape(**shape, context=TRAINED).model(len(tokenizer))
    train(model, packed(learnt, TRAINED + 1), size["steps"])
    model.save_pretrained(folder)
    return packed(held_out, READ + 1)[: size["rows"]]


def train(model: GPTForCausalLM, rows: Tensor, steps: int) -> None:
    """AdamW under one cycle of the learning rate, on rows (N, T + 1) drawn at random."""
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=min(0.3, WARMUP / steps))
    for step in range(steps):
        batch = rows[torch.randint(len(rows), (BATCH,))]  # (B, T + 1)
        logits = model(batch[:, :-1]).logits  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1} of {steps}: loss {loss.item():.3f}", flush=True)


def opened(folder: str, rope: dict[str, Any]) -> GPTForCausalLM:
    """The trained model, its rotary positions by one of the methods."""
    return AutoModelForCausalLM.from_pretrained(folder, rope=rope, max_position_embeddings=READ).eval()


@torch.no_grad()
def by_position(model: GPTForCausalLM, rows: Tensor, pieces: int = 1) -> Tensor:
    """Mean loss of the token after each position of rows (N, T + 1), each read in so many pieces: (T,)."""
    found = []
    for batch in rows.split(8):
        ids, targets = (part.unflatten(1, (pieces, -1)).flatten(0, 1) for part in (batch[:, :-1], batch[:, 1:]))
        logits = model(ids).logits  # (B · pieces, T / pieces, V)
        found.append(F.cross_entropy(logits.transpose(1, 2), targets, reduction="none").view(len(batch), -1))
    return torch.cat(found).mean(0)


def table(losses: dict[str, Tensor], short: dict[str, float]) -> str:
    """Markdown: the mean loss in each quarter, and of texts no longer than those of training."""
    lines = ["| method | " + " | ".join(f"{n}–{n + TRAINED}" for n in range(0, READ, TRAINED)) + " | 256 alone |"]
    lines.append("| --- |" + " ---: |" * (READ // TRAINED + 1))
    for name, loss in losses.items():
        numbers = [*loss.view(-1, TRAINED).mean(1).tolist(), short[name]]
        lines.append(f"| {name} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |")
    return "\n".join(lines)


def draw(losses: dict[str, Tensor]) -> None:
    """A line for each method, past the dashes the lengths no training showed."""
    import altair as alt

    points = [
        {"position": (n + 0.5) * WINDOW, "loss": round(value, 4), "method": name}
        for name, loss in losses.items()
        for n, value in enumerate(loss.view(-1, WINDOW).mean(1).tolist())
    ]
    colour = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    lines = (
        alt.Chart(alt.Data(values=points))
        .mark_line()
        .encode(
            x=alt.X("position:Q", title="position", scale=alt.Scale(domain=[0, READ], nice=False)),
            y=alt.Y("loss:Q", title="nats a token", scale=alt.Scale(zero=False)),
            color=alt.Color("method:N", scale=colour, title=None),
        )
    )
    end = alt.Chart(alt.Data(values=[{"position": TRAINED}])).mark_rule(strokeDash=[4, 4], color="#667")
    chart = (lines + end.encode(x="position:Q")).properties(width=560, height=300, background="white")
    chart.save(PICTURE)


if __name__ == "__main__":
    main()
